#include "api/runner.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/runner_share.h"
#include "api/stream.h"
#include "base/bell.h"
#include "base/thread.h"
#include "base/time.h"
#include "capture/clock.h"

// Streams have so long to tell their ends, and what came before it.
static const int64_t DRAIN_NS = NS_PER_S;

// First in, first out.
struct call_queue {
    struct runner_call *first, *last;
    unsigned length;
};

struct runner {
    struct api *api;
    pthread_mutex_t lock; // of all down to `threads`
    pthread_cond_t called;
    struct call_queue waiting; // for a thread
    struct call_queue opened;  // streams that the stepping thread does not know of yet
    struct stream *over;       // to be given up by a thread that may wait
    struct runner_call *open;
    unsigned open_calls;
    bool ending;
    pthread_t threads[RUNNER_THREADS], stepper;
    unsigned thread_count;
    bool has_stepper;

    struct bell bell; // of the stepping thread
    atomic_bool draining, stepper_ends;
    _Atomic int64_t drained_ns; // when draining is over
};

// A reply that keeps the end until the runner is done with the call.
struct relay {
    struct reply reply;
    struct runner_call *call;
    struct status status;
    bool ended;
};

static void relay_send(struct reply *reply, const uint8_t *bytes, size_t length)
{
    struct runner_call *call = ((struct relay *)reply)->call;
    atomic_store(&call->ready, false);
    call->reply->ops->send(call->reply, bytes, length);
}

static void relay_end(struct reply *reply, const struct status *status)
{
    struct relay *relay = (struct relay *)reply;
    assert(!relay->ended);
    relay->status = *status;
    relay->ended = true;
}

static const struct reply_ops relay_ops = {relay_send, relay_end};

static void relay_to(struct relay *relay, struct runner_call *call)
{
    relay->reply.ops = &relay_ops;
    relay->call = call;
    relay->ended = false;
}

static void queue_add(struct call_queue *queue, struct runner_call *call)
{
    call->behind = NULL;
    if (queue->first == NULL)
        queue->first = call;
    else
        queue->last->behind = call;
    queue->last = call;
    queue->length++;
}

static struct runner_call *queue_take(struct call_queue *queue)
{
    struct runner_call *call = queue->first;
    if (call != NULL) {
        queue->first = call->behind;
        assert(queue->length > 0);
        queue->length--;
    }
    return call;
}

// Which calls are open.

static void enlist(struct runner *runner, struct runner_call *call)
{
    call->previous = NULL;
    call->next = runner->open;
    if (call->next != NULL)
        call->next->previous = call;
    runner->open = call;
    runner->open_calls++;
}

static void strike(struct runner *runner, struct runner_call *call)
{
    pthread_mutex_lock(&runner->lock);
    if (call->next != NULL)
        call->next->previous = call->previous;
    if (call->previous != NULL)
        call->previous->next = call->next;
    else
        runner->open = call->next;
    assert(runner->open_calls > 0);
    runner->open_calls--;
    if (call->stream != NULL) {
        call->stream->behind = runner->over;
        runner->over = call->stream;
        pthread_cond_signal(&runner->called);
    }
    pthread_mutex_unlock(&runner->lock);
}

// The last that is done with a call: it is the transport's again. A stream may have to wait for the run before it is gone
// (a tap of the capture), which is not for the thread that steps the others.
static void finish(struct runner *runner, struct runner_call *call, const struct status *status)
{
    strike(runner, call);
    call->reply->ops->end(call->reply, status);
}

// Why a call cannot begin now; STATUS_OK: it can.
static bool has_room(const struct runner *runner, const struct runner_call *call, struct status *status)
{
    if (atomic_load(&runner->draining))
        return status_set(status, STATUS_UNAVAILABLE, "SENSOR_ENDS",
                          "the sensor ends: try again when it has started anew, or another one");
    if (runner->open_calls >= RUNNER_CALLS || runner->waiting.length >= RUNNER_WAITING)
        return status_set(status, STATUS_RESOURCE_EXHAUSTED, "TOO_BUSY",
                          "%u calls are open, which is as many as there may be: try again later",
                          runner->open_calls);
    return runner_share_check(runner->open, call, status);
}

// Health is told by whoever begins the call: the threads may all wait for the run, and who asks after the sensor's life need
// not. It never waits, and takes nobody's place.
static void answer_at_once(struct runner *runner, struct runner_call *call)
{
    struct relay relay;
    relay_to(&relay, call);
    method_call(call->method, runner->api, call->caller, &call->request, &relay.reply);
    assert(relay.ended);
    call->reply->ops->end(call->reply, &relay.status);
}

void runner_begin(struct runner *runner, struct runner_call *call)
{
    struct status status = STATUS_FINE;
    assert(call->method != NULL && call->caller != NULL && call->reply != NULL);
    call->stream = NULL;
    call->goes_on = false;
    atomic_init(&call->ready, true);
    atomic_init(&call->cancelled, false);
    atomic_init(&call->woken, true);
    if (call->method->for_anybody && call->method->handle != NULL) {
        answer_at_once(runner, call);
        return;
    }
    pthread_mutex_lock(&runner->lock);
    bool good = has_room(runner, call, &status);
    if (good) {
        enlist(runner, call);
        queue_add(&runner->waiting, call);
        pthread_cond_signal(&runner->called);
    }
    pthread_mutex_unlock(&runner->lock);
    if (!good)
        call->reply->ops->end(call->reply, &status);
}

void runner_ready(struct runner *runner, struct runner_call *call)
{
    atomic_store(&call->ready, true);
    atomic_store(&call->woken, true);
    bell_ring(&runner->bell);
}

void runner_cancel(struct runner *runner, struct runner_call *call)
{
    atomic_store(&call->cancelled, true);
    atomic_store(&call->woken, true);
    bell_ring(&runner->bell);
}

void runner_drain(struct runner *runner)
{
    atomic_store(&runner->drained_ns, clock_now_ns() + DRAIN_NS);
    atomic_store(&runner->draining, true);
    bell_ring(&runner->bell);
}

unsigned runner_open_calls(struct runner *runner)
{
    pthread_mutex_lock(&runner->lock);
    unsigned count = runner->open_calls;
    pthread_mutex_unlock(&runner->lock);
    return count;
}

// Unary calls, and the opening of streams.

static void hand_to_stepper(struct runner *runner, struct runner_call *call)
{
    pthread_mutex_lock(&runner->lock);
    queue_add(&runner->opened, call);
    pthread_mutex_unlock(&runner->lock);
    bell_ring(&runner->bell);
}

static void answer(struct runner *runner, struct runner_call *call, struct relay *relay)
{
    relay_to(relay, call);
    if (call->method->handle != NULL)
        method_call(call->method, runner->api, call->caller, &call->request, &relay->reply);
    else
        call->stream = method_open(call->method, runner->api, call->caller, &call->request, &relay->reply);
    assert(relay->ended == (call->stream == NULL));
    if (relay->ended)
        finish(runner, call, &relay->status);
    else
        hand_to_stepper(runner, call);
}

static struct stream *take_over(struct runner *runner)
{
    struct stream *stream = runner->over;
    if (stream != NULL)
        runner->over = stream->behind;
    return stream;
}

// A call, a stream that is over, or none of both at the end.
static bool wait_for_work(struct runner *runner, struct runner_call **call, struct stream **over)
{
    pthread_mutex_lock(&runner->lock);
    while (runner->waiting.first == NULL && runner->over == NULL && !runner->ending)
        pthread_cond_wait(&runner->called, &runner->lock);
    *over = take_over(runner);
    *call = *over == NULL ? queue_take(&runner->waiting) : NULL;
    pthread_mutex_unlock(&runner->lock);
    return *call != NULL || *over != NULL;
}

static void *answer_calls(void *argument)
{
    struct runner *runner = argument;
    struct runner_call *call;
    struct stream *over;
    struct relay relay;
    while (wait_for_work(runner, &call, &over)) {
        stream_destroy(over);
        if (call != NULL)
            answer(runner, call, &relay);
    }
    return NULL;
}

// Streams.

// Whether it ends before its own end, and why.
static bool is_cut(const struct runner *runner, struct runner_call *call, int64_t now_ns,
                   struct status *status)
{
    bool left = atomic_load(&call->cancelled);
    if (!left && now_ns < atomic_load(&runner->drained_ns))
        return false;
    *status = STATUS_FINE;
    if (left)
        status_set(status, STATUS_CANCELLED, "CANCELLED", "the caller left");
    else
        stream_tell_end(status);
    return true;
}

// True when the call is over.
static bool step(struct runner *runner, struct runner_call *call, struct relay *relay, int64_t now_ns)
{
    if (is_cut(runner, call, now_ns, &relay->status)) {
        finish(runner, call, &relay->status);
        return true;
    }
    bool woken = atomic_exchange(&call->woken, false);
    if (!woken && !call->goes_on && stream_due_ns(call->stream) > now_ns)
        return false;
    relay_to(relay, call);
    enum stream_state state = stream_step(call->stream, now_ns, atomic_load(&call->ready), &relay->reply);
    call->goes_on = state == STREAM_GOES_ON;
    assert(relay->ended == (state == STREAM_OVER));
    if (state == STREAM_OVER)
        finish(runner, call, &relay->status);
    return state == STREAM_OVER;
}

// Steps all of a list and keeps those that go on, in order. Returns when the first of them is due.
static int64_t step_all(struct runner *runner, struct call_queue *streams, struct relay *relay)
{
    struct call_queue kept = {0};
    int64_t now_ns = clock_now_ns(), due_ns = INT64_MAX;
    for (struct runner_call *call = queue_take(streams); call != NULL; call = queue_take(streams)) {
        if (step(runner, call, relay, now_ns))
            continue;
        queue_add(&kept, call);
        int64_t stream_ns = call->goes_on ? now_ns : stream_due_ns(call->stream);
        due_ns = stream_ns < due_ns ? stream_ns : due_ns;
    }
    *streams = kept;
    return due_ns;
}

static void take_opened(struct runner *runner, struct call_queue *streams)
{
    pthread_mutex_lock(&runner->lock);
    for (struct runner_call *call = queue_take(&runner->opened); call != NULL;
         call = queue_take(&runner->opened))
        queue_add(streams, call);
    pthread_mutex_unlock(&runner->lock);
}

static int wait_ms(int64_t due_ns)
{
    enum { LONG_MS = 1000 };
    int64_t left_ns = due_ns == INT64_MAX ? LONG_MS * NS_PER_MS : due_ns - clock_now_ns();
    return left_ns <= 0 ? 0 : left_ns >= LONG_MS * NS_PER_MS ? LONG_MS : (int)(left_ns / NS_PER_MS) + 1;
}

static void *step_streams(void *argument)
{
    struct runner *runner = argument;
    struct call_queue streams = {0};
    struct relay relay;
    pthread_setname_np(pthread_self(), "streams");
    while (!atomic_load(&runner->stepper_ends)) {
        unsigned count = bell_count(&runner->bell);
        take_opened(runner, &streams);
        int64_t due_ns = step_all(runner, &streams, &relay);
        int64_t drained_ns = atomic_load(&runner->drained_ns);
        int wait = wait_ms(due_ns < drained_ns ? due_ns : drained_ns);
        if (streams.first == NULL)
            bell_wait(&runner->bell, count, -1);
        else if (wait > 0)
            bell_wait(&runner->bell, count, wait);
    }
    assert(streams.first == NULL);
    return NULL;
}

struct runner *runner_create(struct api *api, struct error *error)
{
    struct runner *runner = calloc(1, sizeof *runner);
    if (runner == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for the API's threads");
        return NULL;
    }
    runner->api = api;
    atomic_init(&runner->drained_ns, INT64_MAX);
    pthread_mutex_init(&runner->lock, NULL);
    pthread_cond_init(&runner->called, NULL);
    api->bell = &runner->bell;
    runner->has_stepper = thread_start(&runner->stepper, step_streams, runner);
    while (runner->has_stepper && runner->thread_count < RUNNER_THREADS &&
           thread_start(&runner->threads[runner->thread_count], answer_calls, runner))
        runner->thread_count++;
    if (runner->thread_count > 0)
        return runner;
    runner_destroy(runner);
    error_set(error, ERROR_EXHAUSTED, "no thread for the API: %s", thread_shortage());
    return NULL;
}

void runner_destroy(struct runner *runner)
{
    if (runner == NULL)
        return;
    pthread_mutex_lock(&runner->lock);
    assert(runner->open == NULL);
    runner->ending = true;
    pthread_cond_broadcast(&runner->called);
    pthread_mutex_unlock(&runner->lock);
    for (unsigned i = 0; i < runner->thread_count; i++)
        pthread_join(runner->threads[i], NULL);
    atomic_store(&runner->stepper_ends, true);
    bell_ring(&runner->bell);
    if (runner->has_stepper)
        pthread_join(runner->stepper, NULL);
    for (struct stream *over = take_over(runner); over != NULL; over = take_over(runner))
        stream_destroy(over);
    runner->api->bell = NULL;
    pthread_cond_destroy(&runner->called);
    pthread_mutex_destroy(&runner->lock);
    free(runner);
}
