#include "pipeline/worker.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
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
    struct record_ring *inbox;           // struct batch *: from the source
    struct record_ring *outbox, *spares; // struct part *: to the aggregate and back
    struct part *parts;
    struct bell *bell, *helper;
    // Of whoever has the turn:
    pthread_mutex_t turn;
    struct shard *shard;
    bool sending, begun;     // a tick's parts, and whether the first one is on its way
    bool interval_end, last; // of that tick
    unsigned unannounced;    // parts sent since the aggregate was woken
    atomic_bool stuck;       // no part is spare: the aggregate rings when one is
    atomic_bool ended;
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

struct worker *worker_create(const struct shard_setup *setup, struct bell *bell, struct bell *helper)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return NULL;
    pthread_mutex_init(&worker->turn, NULL);
    worker->bell = bell;
    worker->helper = helper;
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
    for (unsigned i = 0; worker->parts != NULL && i < WORKER_PARTS; i++)
        free(worker->parts[i].dns.items);
    free(worker->parts);
    free(worker->run.dns.items);
    record_ring_destroy(worker->inbox);
    record_ring_destroy(worker->outbox);
    record_ring_destroy(worker->spares);
    shard_destroy(worker->shard);
    pthread_mutex_destroy(&worker->turn);
    free(worker);
}

// Steps, of whoever has the turn. The aggregate is woken for several parts at once, and before anyone waits.

static void ring_both(struct worker *worker)
{
    bell_ring(worker->bell);
    bell_ring(worker->helper);
}

static void announce(struct worker *worker)
{
    if (worker->unannounced > 0)
        record_ring_wake(worker->outbox);
    worker->unannounced = 0;
}

static struct part *spare_part(struct worker *worker)
{
    struct part *part = pop(worker->spares, 0);
    if (part == NULL) {
        atomic_store(&worker->stuck, true); // and look again: it may have come in between
        part = pop(worker->spares, 0);
    }
    if (part != NULL)
        atomic_store_explicit(&worker->stuck, false, memory_order_relaxed);
    return part;
}

static void fill_part(struct worker *worker, struct part *part)
{
    part->count = part->dns.count = part->top_count = 0;
    if (!worker->begun) {
        shard_swap_dns(worker->shard, &part->dns);
        part->totals = *shard_totals(worker->shard);
        if (worker->interval_end)
            part->top_count = shard_top_flows(worker->shard, part->top, TICK_TOP_FLOWS);
    }
    while (part->count < PART_RECORDS && shard_next_ended(worker->shard, &part->records[part->count]))
        part->count++;
    part->last = part->count < PART_RECORDS;
    worker->begun = true;
}

// Sends the parts of the tick while there are spare ones. Nobody waits here: the aggregate may be waiting for
// another worker of the same thread. Whether any was sent.
static bool send_parts(struct worker *worker)
{
    bool sent = false;
    struct part *part;
    while (worker->sending && (part = spare_part(worker)) != NULL) {
        fill_part(worker, part);
        worker->sending = !part->last;
        push_quietly(worker->outbox, part);
        sent = true;
        if (++worker->unannounced >= WORKER_PARTS / 4)
            announce(worker);
    }
    if (worker->sending || worker->last)
        announce(worker);
    if (!worker->sending && worker->last) {
        atomic_store_explicit(&worker->ended, true, memory_order_release);
        ring_both(worker);
    }
    return sent;
}

// Done with a batch: the last shard to be so frees it for the source.
static void leave(struct batch *batch)
{
    if (!latch_arrive(&batch->done))
        return;
    batch_clear(batch);
    latch_open(&batch->done);
}

static void take_batch(struct worker *worker, struct batch *batch)
{
    enum batch_mark mark = batch->mark;
    int64_t now_ns = batch->now_ns;
    worker->interval_end = batch->interval_end;
    worker->last = mark == BATCH_SOURCE_END;
    shard_batch(worker->shard, batch);
    leave(batch);
    if (mark == BATCH_PACKETS)
        return;
    if (worker->last)
        shard_end_answering(worker->shard);
    shard_tick(worker->shard, now_ns, worker->last);
    worker->sending = true;
    worker->begun = false;
    send_parts(worker);
}

static bool step(struct worker *worker)
{
    bool worked = worker->sending && send_parts(worker);
    struct batch *batch = worker->sending ? NULL : pop(worker->inbox, 0);
    if (batch != NULL)
        take_batch(worker, batch);
    bool more = shard_answer(worker->shard);
    return worked || batch != NULL || more;
}

void worker_begin(struct worker *worker)
{
    shard_begin_answering(worker->shard);
}

enum worker_result worker_step(struct worker *worker, bool wait)
{
    if (wait)
        pthread_mutex_lock(&worker->turn);
    else if (pthread_mutex_trylock(&worker->turn) != 0)
        return WORKER_BUSY;
    bool worked = step(worker);
    pthread_mutex_unlock(&worker->turn);
    return worked ? WORKER_WORKED : WORKER_IDLE;
}

bool worker_has_ended(const struct worker *worker)
{
    return atomic_load_explicit(&worker->ended, memory_order_acquire);
}

void worker_flush(struct worker *worker)
{
    pthread_mutex_lock(&worker->turn);
    announce(worker);
    pthread_mutex_unlock(&worker->turn);
}

void worker_send(struct worker *worker, struct batch *batch)
{
    push_quietly(worker->inbox, batch);
}

enum mailbox_result worker_ask(struct worker *worker, struct question *question)
{
    enum mailbox_result result = shard_ask(worker->shard, question);
    bell_ring(worker->bell);
    return result;
}

unsigned worker_queued(const struct worker *worker)
{
    return (unsigned)(record_ring_used(worker->inbox) / POINTER_BYTES);
}

// The aggregate's thread.

static void give_back(struct worker *worker)
{
    push(worker->spares, worker->current);
    if (atomic_load(&worker->stuck))
        ring_both(worker);
}

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
        give_back(worker);
        take_part(worker);
    }
    return &worker->current->records[worker->taken++];
}

struct tick_run *worker_run(struct worker *worker, const struct shard_totals **totals)
{
    if (worker->current != NULL)
        give_back(worker);
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
