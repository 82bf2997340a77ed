// Batches on their way to the shards and back. Every shard gets every batch.
#include <assert.h>
#include <stdlib.h>

#include "base/thread.h"
#include "pipeline/ledger.h"
#include "pipeline/pipeline_parts.h"

// A file's are few: what waits is in the caches then, fewer still where the source's thread runs the shards itself. A
// live source needs more for the moments in which the shards do not get to run; when they are used up it waits a
// little, for the kernel's ring holds more still.
enum { BATCHES_FILE = 32, BATCHES_FILE_ALONE = 4, BATCHES_LIVE = 96, EMPTY_WAIT_MS = 20 };
// What those hold at least, however few packets a batch is to have. None waits to be filled while
// a worker has little to do.
enum { PACKETS_LIVE = 8192, BATCH_LIVE = PACKETS_LIVE / BATCHES_LIVE + 1 };
// A shard that has so many before it gets no packets, so that it takes no batch from the others (live).
enum { BATCHES_BEHIND = BATCHES_LIVE / 2 };
// Who has so many before it needs no more yet.
enum { BATCHES_BUSY = 8 };

static bool is_alone(const struct pipeline *pipeline)
{
    return pipeline->crew.threads == 0;
}

static bool is_lossless(const struct pipeline *pipeline)
{
    return pipeline->source->ops->lossless;
}

void pipeline_wake_workers(struct pipeline *pipeline)
{
    if (pipeline->unannounced > 0)
        crew_ring(&pipeline->crew);
    pipeline->unannounced = 0;
}

bool pipeline_help_workers(struct pipeline *pipeline)
{
    bool helped = false;
    for (unsigned i = 0; i < pipeline->setup.workers; i++)
        helped |= worker_step(pipeline->workers[i], false) == WORKER_WORKED;
    return helped;
}

void pipeline_flush_workers(struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->setup.workers; i++)
        worker_flush(pipeline->workers[i]);
}

// Takes steps until a latch is open, where the source's thread takes them all; when none is possible it waits for the
// aggregate to give something back, `timeout_ms` at a time.
static bool step_until(struct pipeline *pipeline, struct latch *latch, int timeout_ms)
{
    while (!latch_is_open(latch)) {
        unsigned count = bell_count(&pipeline->helping);
        if (pipeline_help_workers(pipeline))
            continue;
        pipeline_flush_workers(pipeline);
        bell_wait(&pipeline->helping, count, timeout_ms);
        if (timeout_ms >= 0 && !pipeline_help_workers(pipeline))
            break;
    }
    return latch_is_open(latch);
}

// Waits for an empty batch; live only a little. With a file the source has nothing else to do then, and does
// what the crew has not come to.
static bool await_batch(struct pipeline *pipeline, bool wait)
{
    if (batch_ring_is_ready(&pipeline->batches))
        return true;
    if (is_alone(pipeline))
        return step_until(pipeline, batch_ring_next(&pipeline->batches), wait ? -1 : EMPTY_WAIT_MS);
    pipeline_wake_workers(pipeline);
    if (!wait)
        return batch_ring_wait(&pipeline->batches, EMPTY_WAIT_MS);
    while (!batch_ring_is_half_empty(&pipeline->batches) && pipeline_help_workers(pipeline))
        ;
    pipeline_flush_workers(pipeline);
    return batch_ring_is_ready(&pipeline->batches) || batch_ring_wait(&pipeline->batches, -1);
}

// Shards that are behind others, as bits.
static uint32_t workers_behind(const struct pipeline *pipeline)
{
    uint32_t behind = 0;
    if (is_alone(pipeline))
        return 0;
    for (unsigned i = 0; i < pipeline->setup.workers; i++)
        behind |= (uint32_t)(worker_queued(pipeline->workers[i]) >= BATCHES_BEHIND) << i;
    return behind;
}

// Small batches would use up the ring while the workers are held up for a moment.
bool pipeline_is_busy(const struct pipeline *pipeline)
{
    if (is_alone(pipeline))
        return false;
    for (unsigned i = 0; i < pipeline->setup.workers; i++)
        if (worker_queued(pipeline->workers[i]) >= BATCHES_BUSY)
            return true;
    return false;
}

// Where the source's thread runs the shards itself, the batch that it has just sent is empty again, as a rule, and lies
// in the caches. Where the aggregate has no part to spare for a shard, a live source waits a little for it rather than
// reading on: the kernel's ring holds more than our batches.
static struct batch *step_alone(struct pipeline *pipeline, struct batch *batch)
{
    pipeline_help_workers(pipeline);
    if (!latch_is_open(&batch->done) && !is_lossless(pipeline))
        step_until(pipeline, &batch->done, EMPTY_WAIT_MS);
    return latch_is_open(&batch->done) ? batch : NULL;
}

static struct batch *empty_batch(struct pipeline *pipeline, bool wait)
{
    if (!await_batch(pipeline, wait))
        return NULL;
    struct batch *batch = batch_ring_take(&pipeline->batches);
    if (!is_lossless(pipeline))
        batch->behind = workers_behind(pipeline);
    return batch;
}

static struct tick_slot *empty_slot(struct pipeline *pipeline, uint64_t tick)
{
    unsigned at = 0;
    while (at < pipeline->slot_count &&
           atomic_load_explicit(&pipeline->slots[at].filled, memory_order_acquire))
        at++;
    assert(at < pipeline->slot_count); // fewer ticks are on their way
    atomic_store_explicit(&pipeline->slots[at].filled, true, memory_order_relaxed);
    pipeline->slot_of[tick % pipeline->slot_count] = (uint8_t)at;
    return &pipeline->slots[at];
}

// What the source knows at the end of a tick, for whoever merges it.
static void note_tick(struct pipeline *pipeline, const struct batch *batch)
{
    ledger_take_drops(&pipeline->dispatch.ledger, pipeline->source);
    struct tick_slot *slot = empty_slot(pipeline, batch->tick);
    slot->now_ns = batch->now_ns;
    slot->last = batch->mark == BATCH_SOURCE_END;
    totals_copy(&slot->totals, &pipeline->counted);
}

static void send_to_all(struct pipeline *pipeline, struct batch *batch)
{
    assert(latch_is_open(&batch->done)); // no shard reads it
    latch_close(&batch->done, pipeline->setup.workers);
    for (unsigned i = 0; i < pipeline->setup.workers; i++)
        worker_send(pipeline->workers[i], batch);
    pipeline->unannounced++;
}

// Shards of a file are woken for several batches at once. Where there is nobody to wake, each gets its step at once.
struct batch *pipeline_send_batch(void *owner, struct batch *batch, bool wait)
{
    struct pipeline *pipeline = owner;
    if (batch == NULL)
        return empty_batch(pipeline, wait);
    bool end = batch->mark == BATCH_SOURCE_END;
    if (batch->mark != BATCH_PACKETS) // before any shard sees the mark
        note_tick(pipeline, batch);
    send_to_all(pipeline, batch);
    struct batch *empty = is_alone(pipeline) ? step_alone(pipeline, batch) : NULL;
    if (!is_lossless(pipeline) || end || pipeline->unannounced >= pipeline->batches.count / 2)
        pipeline_wake_workers(pipeline);
    if (end)
        return NULL;
    return empty != NULL ? empty : empty_batch(pipeline, wait);
}

static uint32_t tick_packets(const struct pipeline *pipeline)
{
    return pipeline->setup.tick_packets != 0 ? pipeline->setup.tick_packets : TICK_PACKETS;
}

static bool create_worker(struct pipeline *pipeline, unsigned number)
{
    struct shard_setup setup = {
        .policy = pipeline->setup.policy,
        .number = number,
        .shards = pipeline->setup.workers,
        .names = pipeline->setup.names,
        .tick_packets = tick_packets(pipeline),
        .top_flows = pipeline->setup.top_flows,
        .generation = pipeline->setup.generation,
        .behind = &pipeline->consumer->behind,
    };
    struct worker_bells bells = {
        .owner = is_alone(pipeline) ? &pipeline->helping : crew_bell(&pipeline->crew, number),
        .helper = &pipeline->helping,
        .aggregate = &pipeline->merging,
        .each_tick = !is_lossless(pipeline),
    };
    uint32_t answers_most = tick_packets(pipeline) / pipeline->setup.workers + 1;
    pipeline->workers[number] = worker_create(&setup, &bells, answers_most);
    return pipeline->workers[number] != NULL;
}

static unsigned batch_count(const struct pipeline *pipeline)
{
    if (!is_lossless(pipeline))
        return BATCHES_LIVE;
    return is_alone(pipeline) ? BATCHES_FILE_ALONE : BATCHES_FILE;
}

static unsigned batch_packets(bool lossless, unsigned wanted)
{
    unsigned least = lossless ? 1 : BATCH_LIVE;
    return wanted > least ? wanted : least;
}

// Ticks on their way: each holds a batch, or a part of every worker, so there are never as many.
static unsigned slots_of(unsigned batches)
{
    return batches + 2 * WORKER_PARTS;
}

uint64_t pipeline_most_bytes(bool lossless, unsigned workers, unsigned batch)
{
    unsigned batches = lossless ? BATCHES_FILE : BATCHES_LIVE;
    uint64_t packet_bytes = sizeof(struct batch_item) + sizeof(uint64_t) + sizeof(uint8_t);
    return batches * batch_packets(lossless, batch) * packet_bytes + workers * worker_bytes() +
           slots_of(batches) * sizeof(struct tick_slot);
}

bool pipeline_create_workers(struct pipeline *pipeline)
{
    unsigned threads = pipeline->setup.threads, workers = pipeline->setup.workers;
    crew_init(&pipeline->crew, pipeline->workers, workers, threads < workers ? threads : workers);
    unsigned batches = batch_count(pipeline);
    pipeline->slot_count = slots_of(batches);
    assert(pipeline->slot_count <= UINT8_MAX + 1);
    pipeline->slots = calloc(pipeline->slot_count, sizeof *pipeline->slots);
    pipeline->slot_of = calloc(pipeline->slot_count, 1);
    if (pipeline->slots == NULL || pipeline->slot_of == NULL ||
        !batch_ring_init(&pipeline->batches, batches,
                         batch_packets(is_lossless(pipeline), pipeline->setup.batch)))
        return false;
    bool whole = true;
    for (unsigned i = 0; i < workers && whole; i++)
        whole = create_worker(pipeline, i);
    return whole;
}

static bool all_ended(const struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->setup.workers; i++)
        if (!worker_has_ended(pipeline->workers[i]))
            return false;
    return true;
}

// A file's flows that are still alive end all at once, in every shard.
static void help_to_the_end(struct pipeline *pipeline)
{
    for (;;) {
        unsigned count = bell_count(&pipeline->helping);
        if (pipeline_help_workers(pipeline))
            continue;
        if (all_ended(pipeline))
            return;
        pipeline_flush_workers(pipeline);
        bell_wait(&pipeline->helping, count, -1);
    }
}

// Ends the threads that did start, before any packet came; the source takes the steps of those that did not.
static void stop_crew(struct pipeline *pipeline)
{
    struct batch *batch = pipeline->dispatch.open;
    batch->mark = BATCH_SOURCE_END;
    send_to_all(pipeline, batch);
    pipeline_wake_workers(pipeline);
    help_to_the_end(pipeline);
    crew_join(&pipeline->crew);
    pipeline_end_answers(pipeline);
}

bool pipeline_start_threads(struct pipeline *pipeline, struct error *error)
{
    mailbox_open(&pipeline->answers);
    bool good =
        crew_start(&pipeline->crew) && thread_start(&pipeline->aggregate, pipeline_aggregate, pipeline);
    if (good)
        return true;
    error_set(error, ERROR_EXHAUSTED, "no thread could be started: %s", thread_shortage());
    stop_crew(pipeline);
    return false;
}

void pipeline_join_threads(struct pipeline *pipeline)
{
    help_to_the_end(pipeline);
    crew_join(&pipeline->crew);
    pthread_join(pipeline->aggregate, NULL);
}
