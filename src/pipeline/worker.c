#include "pipeline/worker.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/record_ring.h"

enum { PART_RECORDS = 128, RING_BYTES = 4096, POINTER_BYTES = 16, FOR_EVER = -1 };
_Static_assert(WORKER_QUEUE *POINTER_BYTES <= RING_BYTES / 2, "the queue fits into its ring");

// A piece of a shard's tick. The first one carries what there is once: DNS, totals, top flows.
struct part {
    bool last; // of the tick
    unsigned count;
    struct ended_record records[PART_RECORDS];
    struct dns_list dns;
    unsigned top_count;
    struct top_flow top[TICK_TOP_FLOWS];
    struct shard_totals totals;
};

struct worker {
    struct shard *shard;
    pthread_t thread;
    bool started;
    struct record_ring *inbox;           // struct batch *: from the source
    struct record_ring *outbox, *spares; // struct part *: shard to aggregate and back
    struct part *parts;
    unsigned unannounced; // parts sent since the aggregate was woken
    // Of the aggregate thread:
    struct tick_run run;
    struct part *current;
    unsigned taken; // records of `current`
    struct top_flow top[TICK_TOP_FLOWS];
    struct shard_totals totals;
};

static void push_quietly(struct record_ring *ring, void *pointer)
{
    void **place = record_ring_reserve(ring, sizeof pointer, true);
    assert(place != NULL); // the ring holds more pointers than there are
    *place = pointer;
    record_ring_commit_quietly(ring);
}

static void push(struct record_ring *ring, void *pointer)
{
    push_quietly(ring, pointer);
    record_ring_wake(ring);
}

// Waits for `timeout_ms`, negative = for ever; NULL when nothing came.
static void *pop(struct record_ring *ring, int timeout_ms)
{
    uint32_t length;
    const void *place = record_ring_peek(ring, &length, timeout_ms);
    if (place == NULL)
        return NULL;
    void *pointer;
    memcpy(&pointer, place, sizeof pointer);
    record_ring_release(ring);
    return pointer;
}

static bool create_rings(struct worker *worker)
{
    worker->inbox = record_ring_create(RING_BYTES);
    worker->outbox = record_ring_create(RING_BYTES);
    worker->spares = record_ring_create(RING_BYTES);
    worker->parts = calloc(WORKER_PARTS, sizeof *worker->parts);
    if (worker->inbox == NULL || worker->outbox == NULL || worker->spares == NULL || worker->parts == NULL)
        return false;
    for (unsigned i = 0; i < WORKER_PARTS; i++)
        push(worker->spares, &worker->parts[i]);
    return true;
}

static const struct ended_record *next_of_parts(struct tick_run *run);

struct worker *worker_create(const struct shard_setup *setup)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return NULL;
    worker->run.next = next_of_parts;
    worker->shard = shard_create(setup);
    if (worker->shard == NULL || !create_rings(worker)) {
        worker_destroy(worker);
        return NULL;
    }
    return worker;
}

void worker_destroy(struct worker *worker)
{
    if (worker == NULL)
        return;
    assert(!worker->started);
    for (unsigned i = 0; worker->parts != NULL && i < WORKER_PARTS; i++)
        free(worker->parts[i].dns.items);
    free(worker->parts);
    free(worker->run.dns.items);
    record_ring_destroy(worker->inbox);
    record_ring_destroy(worker->outbox);
    record_ring_destroy(worker->spares);
    shard_destroy(worker->shard);
    free(worker);
}

// The shard's thread. It wakes the aggregate for several parts at once, and before it sleeps itself.

static void *pop_here(struct worker *worker, struct record_ring *ring)
{
    void *pointer = pop(ring, 0);
    if (pointer != NULL)
        return pointer;
    record_ring_wake(worker->outbox);
    worker->unannounced = 0;
    return pop(ring, FOR_EVER);
}

static void send_part(struct worker *worker, struct part *part)
{
    push_quietly(worker->outbox, part);
    if (++worker->unannounced < WORKER_PARTS / 4)
        return;
    record_ring_wake(worker->outbox);
    worker->unannounced = 0;
}

static void send_tick(struct worker *worker, bool interval_end)
{
    struct part *part = pop_here(worker, worker->spares);
    shard_swap_dns(worker->shard, &part->dns);
    part->totals = *shard_totals(worker->shard);
    part->top_count = interval_end ? shard_top_flows(worker->shard, part->top, TICK_TOP_FLOWS) : 0;
    part->count = 0;
    while (shard_next_ended(worker->shard, &part->records[part->count])) {
        if (++part->count < PART_RECORDS)
            continue;
        part->last = false;
        send_part(worker, part);
        part = pop_here(worker, worker->spares);
        part->count = part->dns.count = part->top_count = 0;
    }
    part->last = true;
    send_part(worker, part);
}

// Done with a batch: the last shard to be so frees it for the source.
static void leave(struct batch *batch)
{
    if (!latch_arrive(&batch->done))
        return;
    batch_clear(batch);
    latch_open(&batch->done);
}

// The next batch; while there is none, questions are answered.
static struct batch *next_batch(struct worker *worker)
{
    struct batch *batch = pop(worker->inbox, 0);
    while (batch == NULL)
        batch = shard_answer(worker->shard) ? pop(worker->inbox, 0) : pop_here(worker, worker->inbox);
    return batch;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    shard_begin_answering(worker->shard);
    for (bool last = false; !last;) {
        struct batch *batch = next_batch(worker);
        enum batch_mark mark = batch->mark;
        int64_t now_ns = batch->now_ns;
        bool interval_end = batch->interval_end;
        shard_batch(worker->shard, batch);
        leave(batch);
        shard_answer(worker->shard);
        if (mark == BATCH_PACKETS)
            continue;
        last = mark == BATCH_SOURCE_END;
        if (last)
            shard_end_answering(worker->shard);
        shard_tick(worker->shard, now_ns, last);
        send_tick(worker, interval_end);
    }
    record_ring_wake(worker->outbox);
    return NULL;
}

bool worker_start(struct worker *worker)
{
    sigset_t all, before; // signals are the main thread's
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    worker->started = pthread_create(&worker->thread, NULL, work, worker) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return worker->started;
}

void worker_join(struct worker *worker)
{
    if (worker->started)
        pthread_join(worker->thread, NULL);
    worker->started = false;
}

void worker_send(struct worker *worker, struct batch *batch)
{
    push_quietly(worker->inbox, batch);
}

void worker_wake(struct worker *worker)
{
    record_ring_wake(worker->inbox);
}

enum mailbox_result worker_ask(struct worker *worker, struct question *question)
{
    enum mailbox_result result = shard_ask(worker->shard, question);
    record_ring_interrupt(worker->inbox);
    return result;
}

unsigned worker_queued(const struct worker *worker)
{
    return (unsigned)(record_ring_used(worker->inbox) / POINTER_BYTES);
}

// The aggregate's thread.

static void take_part(struct worker *worker)
{
    worker->current = pop(worker->outbox, FOR_EVER);
    worker->taken = 0;
}

// The current part stays until the record behind its last one is asked for: heads point into it.
static const struct ended_record *next_of_parts(struct tick_run *run)
{
    struct worker *worker = (struct worker *)((char *)run - offsetof(struct worker, run));
    while (worker->taken == worker->current->count) {
        bool last = worker->current->last;
        if (last)
            return NULL;
        push(worker->spares, worker->current);
        take_part(worker);
    }
    return &worker->current->records[worker->taken++];
}

struct tick_run *worker_run(struct worker *worker, const struct shard_totals **totals)
{
    if (worker->current != NULL)
        push(worker->spares, worker->current);
    take_part(worker);
    struct part *part = worker->current;
    struct dns_list empty = worker->run.dns;
    worker->run.dns = part->dns;
    worker->run.dns_taken = 0;
    part->dns = empty;
    part->dns.count = 0;
    memcpy(worker->top, part->top, part->top_count * sizeof part->top[0]);
    worker->run.top = worker->top;
    worker->run.top_count = part->top_count;
    worker->totals = part->totals;
    *totals = &worker->totals;
    return &worker->run;
}
