#include "pipeline/worker.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/record_ring.h"
#include "capture/clock.h"

enum { PART_RECORDS = 128, RING_BYTES = 4096, POINTER_BYTES = 16 };
enum { ANSWERS_KEPT = 1024 }; // the room that a report keeps for the next tick
_Static_assert(WORKER_QUEUE *POINTER_BYTES <= RING_BYTES / 2, "the queue fits into its ring");
_Static_assert(WORKER_REPORTS <= WORKER_PARTS, "reports that are spare have a place");

// A piece of a shard's tick.
struct part {
    struct shard_report *report; // in the first one of a tick
    bool last;                   // of the tick
    unsigned count;
    struct ended_record records[PART_RECORDS];
};

// What the aggregate has given back. The one that came last goes first: as few are touched as are on their way, and
// the memory of as few reports' evidence.
struct spares {
    pthread_mutex_t lock;
    unsigned count;
    void *spare[WORKER_PARTS];
};

struct worker {
    struct record_ring *inbox;   // struct batch *: from the source
    struct record_ring *outbox;  // struct part *: to the aggregate
    struct spares spares;        // struct part *
    struct spares spare_reports; // struct shard_report *
    struct part *parts;
    struct shard_report *reports;
    struct worker_bells bells;
    // Of whoever has the turn:
    pthread_mutex_t turn;
    struct shard *shard;
    struct shard_report *report; // of the tick that is being sent; NULL = it is on its way
    bool sending, last;          // a tick's parts, and whether it is the last one
    unsigned unannounced;        // parts sent since the aggregate was woken
    atomic_bool stuck;           // no part or report is spare: the aggregate rings when one is
    atomic_bool ended;
    atomic_uint reports_out, answers_out; // that the aggregate is not done with
    uint32_t answers_most;
    // Of the aggregate thread:
    struct tick_run run;
    struct part *current;
    unsigned taken; // records of `current`
};

static void push(struct record_ring *ring, void *pointer)
{
    void **place = record_ring_reserve(ring, sizeof pointer, true);
    assert(place != NULL); // the ring holds more pointers than there are
    *place = pointer;
    record_ring_commit_quietly(ring);
}

// NULL when nothing is there.
static void *pop(struct record_ring *ring)
{
    uint32_t length;
    const void *place = record_ring_peek(ring, &length, 0);
    if (place == NULL)
        return NULL;
    void *pointer;
    memcpy(&pointer, place, sizeof pointer);
    record_ring_release(ring);
    return pointer;
}

static void put_spare(struct spares *spares, void *spare)
{
    pthread_mutex_lock(&spares->lock);
    assert(spares->count < WORKER_PARTS); // given back once
    spares->spare[spares->count++] = spare;
    pthread_mutex_unlock(&spares->lock);
}

// NULL when there is none.
static void *get_spare(struct spares *spares)
{
    pthread_mutex_lock(&spares->lock);
    void *spare = spares->count > 0 ? spares->spare[--spares->count] : NULL;
    pthread_mutex_unlock(&spares->lock);
    return spare;
}

static bool create_rings(struct worker *worker)
{
    worker->inbox = record_ring_create(RING_BYTES);
    worker->outbox = record_ring_create(RING_BYTES);
    worker->parts = calloc(WORKER_PARTS, sizeof *worker->parts);
    worker->reports = calloc(WORKER_REPORTS, sizeof *worker->reports);
    if (worker->inbox == NULL || worker->outbox == NULL || worker->parts == NULL || worker->reports == NULL)
        return false;
    for (unsigned i = 0; i < WORKER_PARTS; i++)
        put_spare(&worker->spares, &worker->parts[i]);
    for (unsigned i = 0; i < WORKER_REPORTS; i++)
        put_spare(&worker->spare_reports, &worker->reports[i]);
    return true;
}

static const struct ended_record *next_of_parts(struct tick_run *run);

struct worker *worker_create(const struct shard_setup *setup, const struct worker_bells *bells,
                             uint32_t answers_most)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return NULL;
    pthread_mutex_init(&worker->turn, NULL);
    pthread_mutex_init(&worker->spares.lock, NULL);
    pthread_mutex_init(&worker->spare_reports.lock, NULL);
    worker->bells = *bells;
    worker->answers_most = answers_most;
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
    for (unsigned i = 0; worker->reports != NULL && i < WORKER_REPORTS; i++)
        shard_report_done(&worker->reports[i]);
    free(worker->reports);
    free(worker->parts);
    record_ring_destroy(worker->inbox);
    record_ring_destroy(worker->outbox);
    shard_destroy(worker->shard);
    pthread_mutex_destroy(&worker->turn);
    pthread_mutex_destroy(&worker->spares.lock);
    pthread_mutex_destroy(&worker->spare_reports.lock);
    free(worker);
}

uint64_t worker_bytes(void)
{
    return WORKER_PARTS * sizeof(struct part) + WORKER_REPORTS * sizeof(struct shard_report) + 4 * RING_BYTES;
}

// Steps, of whoever has the turn. The aggregate is woken for several parts at once, and before anyone waits.

static void ring_both(struct worker *worker)
{
    bell_ring(worker->bells.owner);
    bell_ring(worker->bells.helper);
}

static void announce(struct worker *worker)
{
    if (worker->unannounced > 0)
        bell_ring(worker->bells.aggregate);
    worker->unannounced = 0;
}

// A spare part or report; NULL when the aggregate has them all.
static void *take_spare(struct worker *worker, struct spares *spares)
{
    void *spare = get_spare(spares);
    if (spare == NULL) {
        atomic_store(&worker->stuck, true); // and look again: it may have come in between
        spare = get_spare(spares);
    }
    if (spare != NULL)
        atomic_store_explicit(&worker->stuck, false, memory_order_relaxed);
    return spare;
}

static void fill_part(struct worker *worker, struct part *part)
{
    assert(worker->sending);
    if (worker->report != NULL) {
        atomic_fetch_add(&worker->answers_out, worker->report->dns.count);
        atomic_fetch_add(&worker->reports_out, 1);
    }
    part->report = worker->report;
    worker->report = NULL;
    part->count = 0;
    while (part->count < PART_RECORDS && shard_next_ended(worker->shard, &part->records[part->count]))
        part->count++;
    part->last = part->count < PART_RECORDS;
}

// Sends the parts of the tick while there are spare ones. Nobody waits here: the aggregate may be waiting for
// another worker of the same thread. Whether any was sent.
static bool send_parts(struct worker *worker)
{
    bool sent = false;
    struct part *part;
    while (worker->sending && (part = take_spare(worker, &worker->spares)) != NULL) {
        fill_part(worker, part);
        worker->sending = !part->last;
        push(worker->outbox, part);
        sent = true;
        if (++worker->unannounced >= WORKER_PARTS / 4)
            announce(worker);
    }
    if (worker->sending || worker->last || worker->bells.each_tick)
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
    bool interval_end = batch->interval_end;
    worker->last = mark == BATCH_SOURCE_END;
    shard_batch(worker->shard, batch);
    leave(batch);
    if (mark == BATCH_PACKETS)
        return;
    if (worker->last)
        shard_end_serving(worker->shard);
    assert(worker->report != NULL && !worker->sending);
    shard_tick(worker->shard, now_ns, worker->last, interval_end, worker->report);
    worker->sending = true;
    send_parts(worker);
}

// The report that the aggregate reads comes back with the next one: of two, one will.
static bool is_far_ahead(struct worker *worker)
{
    return atomic_load(&worker->answers_out) >= worker->answers_most && atomic_load(&worker->reports_out) > 1;
}

// A batch may end a tick, which needs a report.
static bool may_take_batch(struct worker *worker)
{
    if (worker->sending)
        return false;
    if (is_far_ahead(worker)) {
        atomic_store(&worker->stuck, true); // and look again, as take_spare()
        if (is_far_ahead(worker))
            return false;
    }
    if (worker->report == NULL)
        worker->report = take_spare(worker, &worker->spare_reports);
    return worker->report != NULL;
}

static bool step(struct worker *worker)
{
    bool worked = worker->sending && send_parts(worker);
    struct batch *batch = may_take_batch(worker) ? pop(worker->inbox) : NULL;
    if (batch != NULL)
        take_batch(worker, batch);
    bool more = shard_has_messages(worker->shard) && shard_serve(worker->shard, clock_now_ns());
    return worked || batch != NULL || more;
}

void worker_begin(struct worker *worker)
{
    shard_begin_serving(worker->shard);
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
    push(worker->inbox, batch);
}

enum mailbox_result worker_post(struct worker *worker, struct message *message)
{
    enum mailbox_result result = shard_post(worker->shard, message);
    bell_ring(worker->bells.owner);
    return result;
}

unsigned worker_queued(const struct worker *worker)
{
    return (unsigned)(record_ring_used(worker->inbox) / POINTER_BYTES);
}

// The aggregate's thread.

static void give_back(struct worker *worker, struct spares *spares, void *spare)
{
    assert(spare != NULL);
    put_spare(spares, spare);
    if (atomic_load(&worker->stuck))
        ring_both(worker);
}

static void give_back_report(struct worker *worker, struct shard_report *report)
{
    atomic_fetch_sub(&worker->answers_out, report->dns.count);
    atomic_fetch_sub(&worker->reports_out, 1);
    if (report->dns.room > ANSWERS_KEPT) {
        free(report->dns.items);
        report->dns = (struct dns_list){0};
    }
    give_back(worker, &worker->spare_reports, report);
}

static void await_part(struct worker *worker)
{
    for (;;) {
        unsigned count = bell_count(worker->bells.aggregate);
        worker->current = pop(worker->outbox);
        worker->taken = 0;
        if (worker->current != NULL)
            return;
        bell_wait(worker->bells.aggregate, count, -1);
    }
}

// The current part stays until the record behind its last one is asked for: heads point into it.
static const struct ended_record *next_of_parts(struct tick_run *run)
{
    struct worker *worker = (struct worker *)((char *)run - offsetof(struct worker, run));
    while (worker->taken == worker->current->count) {
        if (worker->current->last)
            return NULL;
        give_back(worker, &worker->spares, worker->current);
        await_part(worker);
    }
    return &worker->current->records[worker->taken++];
}

bool worker_has_run(struct worker *worker)
{
    uint32_t length;
    return record_ring_peek(worker->outbox, &length, 0) != NULL;
}

struct tick_run *worker_run(struct worker *worker)
{
    if (worker->current != NULL) {
        give_back(worker, &worker->spares, worker->current);
        give_back_report(worker, (struct shard_report *)(uintptr_t)worker->run.report);
    }
    await_part(worker);
    assert(worker->current->report != NULL); // the first part of a tick
    worker->run.report = worker->current->report;
    worker->run.dns_taken = 0;
    return &worker->run;
}
