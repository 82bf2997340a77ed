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
#include "capture/live/live_settings.h"

enum { REQUEST_STEP_MS = 2 };
static const int64_t patience_ns = 5 * NS_PER_S; // besides the time that rings take

// Who asked may give up first: the last of the two frees it.
struct live_request {
    enum live_request_kind kind;
    char *word;
    struct capture_settings *settings;
    bool drain;
    bool begun, done, given_up, good;
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
    request->done = true;
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

static void cancel_requests(struct live_keeper *keeper)
{
    struct live_request *request;
    while ((request = first_request(keeper)) != NULL) {
        request->good = error_set(&request->error, ERROR_CANCELLED, "the capture has ended");
        answer(keeper, request);
    }
}

// Begins the first request, or sees whether it is done.
static void go_on(struct live_keeper *keeper)
{
    struct live_set *set = &keeper->set;
    struct live_request *request = first_request(keeper);
    if (request == NULL)
        return;
    if (atomic_load(&keeper->exchange.end) != LIVE_GOES_ON) {
        cancel_requests(keeper);
        return;
    }
    if (!request->begun) {
        request->begun = true;
        request->good = begin_request(set, request);
    }
    if (request->good && !live_change_is_done(set))
        return;
    if (request->good && request->kind == LIVE_START)
        request->good = live_change_started(set, request->word, &request->error);
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
    memcpy(keeper->reason, keeper->set.reason, sizeof keeper->reason);
    keeper->running = thread_start_capable(&keeper->thread, keep, keeper);
    return keeper->running ||
           error_set(error, ERROR_EXHAUSTED, "no thread could be started: %s", thread_shortage());
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
    while (!request->done)
        if (pthread_cond_timedwait(&keeper->answered, &keeper->lock, &until) != 0)
            return;
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
    bool done = request->done;
    request->given_up = !done;
    pthread_mutex_unlock(&keeper->lock);
    if (posted && !done)
        return error_set(error, ERROR_DEADLINE_EXCEEDED,
                         "the capture did not answer within %d seconds; what was asked for goes on",
                         (int)(keeper->patience_ns / NS_PER_S));
    bool good = done && request->good;
    if (!posted)
        error_set(error, ERROR_CANCELLED, "the capture has ended");
    else if (!good)
        *error = request->error;
    if (verdict != NULL)
        *verdict = request->verdict;
    free_request(request);
    return good;
}
