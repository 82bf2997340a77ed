#include "capture/live/live_keeper.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/capabilities.h"
#include "base/thread.h"
#include "base/time.h"
#include "capture/clock.h"
#include "capture/live/live_change.h"
#include "capture/live/live_open.h"
#include "capture/live/live_set_filter.h"
#include "capture/live/live_settings.h"

enum { REQUEST_STEP_MS = 2 };
static const int64_t patience_ns = 5 * NS_PER_S; // besides the time that rings take

// Settings that are not in force when patience ends are taken back, so that the answer is true. While it is decided,
// who asked waits on. What is begun of a start or a stop goes on.
enum request_stage { REQUEST_WAITS, REQUEST_BEGUN, REQUEST_DECIDED, REQUEST_IN_FORCE, REQUEST_DONE };

// Who asked may give up first: the last of the two frees it.
struct live_request {
    enum live_request_kind kind;
    char *word;
    struct capture_settings *settings;
    bool drain;
    enum request_stage stage; // changed by the keeper, under the lock
    bool given_up;            // under the lock
    bool good;
    struct error error;
    struct source_drops verdict;
    struct live_request *next;
};

// --- Requests ---

static void free_request(struct live_request *request)
{
    live_settings_free(request->settings);
    free(request->word);
    free(request);
}

static struct live_request *make_request(const struct live_wanted *wanted, struct error *error)
{
    struct live_request *request = calloc(1, sizeof *request);
    bool whole = request != NULL;
    if (whole) {
        request->kind = wanted->kind;
        request->drain = wanted->drain;
        request->word = wanted->word != NULL ? strdup(wanted->word) : NULL;
        request->settings = wanted->settings != NULL ? live_settings_copy(wanted->settings, error) : NULL;
        whole = wanted->settings != NULL ? request->settings != NULL : request->word != NULL;
    }
    if (whole)
        return request;
    if (request != NULL)
        free_request(request);
    error_set(error, ERROR_EXHAUSTED, "no memory to change the capture");
    return NULL;
}

static bool begin_request(struct live_set *set, struct live_request *request)
{
    switch (request->kind) {
    case LIVE_START:
        return live_change_start(set, request->word, &request->error);
    case LIVE_STOP:
        return live_change_stop(set, request->word, request->drain, &request->error);
    case LIVE_SETTINGS:
        return live_change_settings(set, request->settings, &request->error);
    }
    return false;
}

static void answer(struct live_keeper *keeper, struct live_request *request)
{
    pthread_mutex_lock(&keeper->lock);
    assert(keeper->first == request);
    keeper->first = request->next;
    if (keeper->first == NULL)
        keeper->last = NULL;
    request->stage = REQUEST_DONE;
    bool mine = request->given_up;
    pthread_cond_broadcast(&keeper->answered);
    pthread_mutex_unlock(&keeper->lock);
    if (mine)
        free_request(request);
}

static struct live_request *first_request(struct live_keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    struct live_request *request = keeper->first;
    pthread_mutex_unlock(&keeper->lock);
    return request;
}

static void reach(struct live_keeper *keeper, struct live_request *request, enum request_stage stage)
{
    pthread_mutex_lock(&keeper->lock);
    assert(stage > request->stage);
    request->stage = stage;
    pthread_cond_broadcast(&keeper->answered);
    pthread_mutex_unlock(&keeper->lock);
}

// The first request, which nobody withdraws from here on; NULL = none.
static struct live_request *begin_first(struct live_keeper *keeper)
{
    struct live_set *set = &keeper->set;
    pthread_mutex_lock(&keeper->lock);
    struct live_request *request = keeper->first;
    bool fresh = request != NULL && request->stage == REQUEST_WAITS;
    if (fresh)
        request->stage = REQUEST_BEGUN;
    pthread_mutex_unlock(&keeper->lock);
    if (fresh)
        request->good = begin_request(set, request);
    return request;
}

// Whether who asked still waits; then it waits for the outcome.
static bool decide(struct live_keeper *keeper, struct live_request *request)
{
    pthread_mutex_lock(&keeper->lock);
    bool wanted = !request->given_up;
    if (wanted && live_set_filter_is_answered(&keeper->set))
        request->stage = REQUEST_DECIDED;
    pthread_mutex_unlock(&keeper->lock);
    return wanted;
}

static void put_in_force(struct live_keeper *keeper, struct live_request *request)
{
    struct live_set *set = &keeper->set;
    if (!decide(keeper, request)) {
        live_change_take_back(set, request->settings);
        request->good = false;
    }
    if (request->stage != REQUEST_DECIDED)
        return;
    request->good = live_change_enact(set, request->settings, &request->error);
    if (request->good)
        reach(keeper, request, REQUEST_IN_FORCE);
}

static void cancel_requests(struct live_keeper *keeper)
{
    struct live_request *request;
    while ((request = first_request(keeper)) != NULL) {
        request->good = error_set(&request->error, ERROR_CANCELLED, "the capture has ended");
        answer(keeper, request);
    }
}

// Whether nothing is to be waited for.
static bool is_complete(struct live_keeper *keeper, struct live_request *request)
{
    const struct live_set *set = &keeper->set;
    if (request->good && request->kind == LIVE_SETTINGS && request->stage == REQUEST_BEGUN)
        put_in_force(keeper, request);
    if (!request->good)
        return true;
    if (request->kind == LIVE_SETTINGS)
        return request->stage == REQUEST_IN_FORCE && live_change_is_settled(set);
    return live_change_is_done(set);
}

// Begins the first request, or sees whether it is done.
static void go_on(struct live_keeper *keeper)
{
    struct live_set *set = &keeper->set;
    if (atomic_load(&keeper->exchange.end) != LIVE_GOES_ON) {
        cancel_requests(keeper);
        return;
    }
    struct live_request *request = begin_first(keeper);
    if (request == NULL || !is_complete(keeper, request))
        return;
    if (request->good && request->kind == LIVE_START)
        request->good = live_change_started(set, &request->error);
    request->verdict = set->stopped;
    answer(keeper, request);
}

// --- The thread ---

// Whether the source is to end, when nothing is left that it may read.
static void check_end(struct live_keeper *keeper)
{
    struct live_set *set = &keeper->set;
    if (!set->closed_one || atomic_load(&keeper->keep_open))
        return;
    set->closed_one = false;
    if (live_set_is_pending(set))
        return;
    atomic_store(&keeper->exchange.end, set->targets.count > 0 ? LIVE_END_GONE : LIVE_END_STOPPED);
    live_exchange_wake(keeper->exchange.source_fd);
}

static void await(struct live_keeper *keeper)
{
    int wait_ms = live_set_wait_ms(&keeper->set);
    if (wait_ms > REQUEST_STEP_MS && first_request(keeper) != NULL)
        wait_ms = REQUEST_STEP_MS;
    struct pollfd fds[] = {
        {.fd = link_watch_fd(keeper->set.links), .events = POLLIN},
        {.fd = keeper->exchange.keeper_fd, .events = POLLIN},
    };
    if (poll(fds, 2, wait_ms) > 0 && fds[1].revents != 0)
        live_exchange_heard(keeper->exchange.keeper_fd);
}

static void *keep(void *argument)
{
    struct live_keeper *keeper = argument;
    if (keeper->set.sealed)
        capabilities_drop();
    else
        capabilities_keep_raw();
    while (!atomic_load(&keeper->stopping)) {
        await(keeper);
        live_set_step(&keeper->set);
        go_on(keeper);
        check_end(keeper);
    }
    cancel_requests(keeper);
    return NULL;
}

static void init_lock(struct live_keeper *keeper)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper->answered, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&keeper->lock, NULL);
}

bool live_keeper_begin(struct live_keeper *keeper, const struct capture_settings *settings,
                       struct error *error)
{
    init_lock(keeper);
    keeper->patience_ns = patience_ns + 2 * live_block_time_ns(settings);
    if (!live_exchange_init(&keeper->exchange))
        return error_set(error, ERROR_EXHAUSTED, "the live capture finds no descriptors: raise ulimit -n");
    if (!live_set_open(&keeper->set, settings, &keeper->exchange, error))
        return false;
    keeper->running = thread_start_capable(&keeper->thread, keep, keeper);
    return keeper->running ||
           error_set(error, ERROR_EXHAUSTED, "no thread could be started: %s", thread_shortage());
}

void live_keeper_set_tick(struct live_keeper *keeper, int64_t tick_ns)
{
    keeper->patience_ns += tick_ns;
}

void live_keeper_end(struct live_keeper *keeper)
{
    atomic_store(&keeper->stopping, true);
    if (keeper->running) {
        live_exchange_wake(keeper->exchange.keeper_fd);
        pthread_join(keeper->thread, NULL);
    }
    live_set_close(&keeper->set);
    live_exchange_done(&keeper->exchange);
    pthread_cond_destroy(&keeper->answered);
    pthread_mutex_destroy(&keeper->lock);
}

// --- Who asks ---

static struct timespec deadline(const struct live_keeper *keeper)
{
    int64_t at_ns = clock_now_ns() + keeper->patience_ns;
    return (struct timespec){.tv_sec = at_ns / NS_PER_S, .tv_nsec = at_ns % NS_PER_S};
}

// With the lock held.
static void await_answer(struct live_keeper *keeper, struct live_request *request)
{
    struct timespec until = deadline(keeper);
    while (request->stage != REQUEST_DONE)
        if (pthread_cond_timedwait(&keeper->answered, &keeper->lock, &until) != 0)
            break;
    while (request->stage == REQUEST_DECIDED)
        pthread_cond_wait(&keeper->answered, &keeper->lock);
}

// With the lock held: it was not begun.
static void withdraw(struct live_keeper *keeper, struct live_request *request)
{
    struct live_request *before = NULL;
    for (struct live_request *at = keeper->first; at != request; at = at->next)
        before = at;
    *(before != NULL ? &before->next : &keeper->first) = request->next;
    if (keeper->last == request)
        keeper->last = before;
    free_request(request);
}

// With the lock held: patience has ended. The request is not the asker's any more.
static bool give_up(struct live_keeper *keeper, struct live_request *request, struct error *error)
{
    bool in_force = request->stage == REQUEST_IN_FORCE;
    bool goes_on = request->stage == REQUEST_BEGUN && request->kind != LIVE_SETTINGS;
    request->given_up = true;
    if (request->stage == REQUEST_WAITS)
        withdraw(keeper, request);
    return in_force ||
           error_set(error, ERROR_DEADLINE_EXCEEDED, "the capture did not answer within %d seconds; %s",
                     (int)(keeper->patience_ns / NS_PER_S),
                     goes_on ? "what was asked for goes on" : "nothing has changed");
}

static bool post(struct live_keeper *keeper, struct live_request *request)
{
    if (atomic_load(&keeper->stopping))
        return false;
    if (keeper->last != NULL)
        keeper->last->next = request;
    else
        keeper->first = request;
    keeper->last = request;
    live_exchange_wake(keeper->exchange.keeper_fd);
    return true;
}

bool live_keeper_ask(struct live_keeper *keeper, const struct live_wanted *wanted,
                     struct source_drops *verdict, struct error *error)
{
    struct live_request *request = make_request(wanted, error);
    if (request == NULL)
        return false;
    pthread_mutex_lock(&keeper->lock);
    bool posted = post(keeper, request);
    if (posted)
        await_answer(keeper, request);
    bool done = request->stage == REQUEST_DONE;
    bool good = posted && !done && give_up(keeper, request, error);
    pthread_mutex_unlock(&keeper->lock);
    if (posted && !done)
        return good;
    good = done && request->good;
    if (!posted)
        error_set(error, ERROR_CANCELLED, "the capture has ended");
    else if (!good)
        *error = request->error;
    if (verdict != NULL)
        *verdict = request->verdict;
    free_request(request);
    return good;
}
