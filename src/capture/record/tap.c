#include "capture/record/tap.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/record_ring.h"
#include "base/thread.h"
#include "base/time.h"
#include "capture/clock.h"

enum { FLUSH_MS = 1000, LULL_MS = 50 };

struct tap_record {
    int64_t time_ns;
    uint64_t number;
    uint32_t captured, length;
    uint16_t interface, link_type;
    uint8_t bytes[];
};

struct tap {
    struct tap_consumer *consumer;
    struct record_ring *ring;
    pthread_t thread;
    bool running;
    bool complete;      // finish's result, written by the thread before it ends
    uint64_t unwritten; // and this
    struct error error;
    atomic_uint_fast64_t offered, dropped; // the producer's
    atomic_uint_fast64_t written, failed;  // the writer's
};

static void count(atomic_uint_fast64_t *counter)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + 1, memory_order_relaxed);
}

static struct frame frame_of(const struct tap_record *record)
{
    return (struct frame){
        .time_ns = record->time_ns,
        .bytes = record->bytes,
        .captured = record->captured,
        .length = record->length,
        .interface = record->interface,
        .link_type = record->link_type,
    };
}

static void write_record(struct tap *tap, const struct tap_record *record)
{
    struct frame frame = frame_of(record);
    bool written = tap->consumer->ops->packet(tap->consumer, &frame, record->number);
    count(written ? &tap->written : &tap->failed);
}

// The next record, after at most the time to the next flush; a lull after records flushes early.
static const struct tap_record *await_record(struct tap *tap, int64_t flush_in_ns, bool unflushed)
{
    int timeout_ms = (int)(flush_in_ns / NS_PER_MS);
    if (timeout_ms <= 0)
        return NULL;
    if (unflushed && timeout_ms > LULL_MS)
        timeout_ms = LULL_MS;
    uint32_t length;
    return record_ring_peek(tap->ring, &length, timeout_ms);
}

static void *write_records(void *argument)
{
    struct tap *tap = argument;
    int64_t flush_at_ns = clock_now_ns() + FLUSH_MS * NS_PER_MS;
    bool unflushed = false;
    while (!record_ring_ended(tap->ring)) {
        int64_t now_ns = clock_now_ns();
        const struct tap_record *record = await_record(tap, flush_at_ns - now_ns, unflushed);
        unflushed = record != NULL;
        if (record != NULL) {
            write_record(tap, record);
            record_ring_release(tap->ring);
        } else {
            tap->consumer->ops->flush(tap->consumer);
            flush_at_ns = now_ns + FLUSH_MS * NS_PER_MS;
        }
    }
    tap->complete = tap->consumer->ops->finish(tap->consumer, &tap->unwritten, &tap->error);
    return NULL;
}

struct tap *tap_create(struct tap_consumer *take_consumer, size_t ring_bytes, struct error *error)
{
    struct tap *tap = calloc(1, sizeof *tap);
    if (tap == NULL) {
        take_consumer->ops->destroy(take_consumer);
        error_set(error, ERROR_EXHAUSTED, "the writer of %s finds no memory", take_consumer->ops->name);
        return NULL;
    }
    tap->consumer = take_consumer;
    tap->ring = record_ring_create(ring_bytes);
    bool good = tap->ring != NULL;
    if (good && take_consumer->ops->packet != NULL)
        good = tap->running = thread_start(&tap->thread, write_records, tap);
    if (!good) {
        error_set(error, ERROR_EXHAUSTED, "the writer of %s cannot be started: no memory or no thread",
                  take_consumer->ops->name);
        tap_destroy(tap);
        return NULL;
    }
    if (tap->running)
        pthread_setname_np(tap->thread, take_consumer->ops->name);
    return tap;
}

bool tap_offer(struct tap *tap, const struct frame *frame, uint64_t number, bool wait)
{
    const struct tap_consumer_ops *ops = tap->consumer->ops;
    uint32_t captured = frame->captured;
    if (ops->wants != NULL && !ops->wants(tap->consumer, frame, number, &captured))
        return false;
    assert(captured <= frame->captured);
    count(&tap->offered);
    uint32_t bytes = (uint32_t)sizeof(struct tap_record) + captured;
    struct tap_record *record = record_ring_reserve(tap->ring, bytes, wait && !ops->never_waited_for);
    if (record == NULL) {
        count(&tap->dropped);
        return false;
    }
    record->time_ns = frame->time_ns;
    record->number = number;
    record->captured = captured;
    record->length = frame->length;
    record->interface = frame->interface;
    record->link_type = frame->link_type;
    if (captured > 0)
        memcpy(record->bytes, frame->bytes, captured);
    record_ring_commit(tap->ring);
    return true;
}

bool tap_take(struct tap *tap, struct frame *frame, uint64_t *number)
{
    uint32_t length;
    assert(tap->consumer->ops->packet == NULL);
    const struct tap_record *record = record_ring_peek(tap->ring, &length, 0);
    if (record == NULL)
        return false;
    *frame = frame_of(record);
    *number = record->number;
    return true;
}

void tap_release(struct tap *tap)
{
    assert(tap->consumer->ops->packet == NULL);
    record_ring_release(tap->ring);
    count(&tap->written);
}

struct tap_counts tap_counts(const struct tap *tap)
{
    return (struct tap_counts){
        .offered = atomic_load_explicit(&tap->offered, memory_order_relaxed),
        .dropped = atomic_load_explicit(&tap->dropped, memory_order_relaxed),
        .written = atomic_load_explicit(&tap->written, memory_order_relaxed),
        .failed = atomic_load_explicit(&tap->failed, memory_order_relaxed),
    };
}

static void join_writer(struct tap *tap)
{
    record_ring_close(tap->ring);
    pthread_join(tap->thread, NULL);
    tap->running = false;
    atomic_fetch_sub(&tap->written, tap->unwritten);
    atomic_fetch_add(&tap->failed, tap->unwritten);
}

bool tap_finish(struct tap *tap, struct error *error)
{
    assert(tap->running);
    join_writer(tap);
    if (!tap->complete) {
        *error = tap->error;
        return false;
    }
    struct tap_counts counts = tap_counts(tap);
    if (counts.dropped == 0)
        return true;
    return error_set(error, ERROR_DATA_LOSS,
                     "%s: %" PRIu64 " of %" PRIu64 " packets came faster than they could be written",
                     tap->consumer->ops->name, counts.dropped, counts.offered);
}

void tap_destroy(struct tap *tap)
{
    if (tap == NULL)
        return;
    if (tap->running)
        join_writer(tap);
    tap->consumer->ops->destroy(tap->consumer);
    record_ring_destroy(tap->ring);
    free(tap);
}
