// The pipeline with several workers: batches go to all of them, and come back; their parts of each tick meet in
// the aggregate thread.
#include <stdlib.h>

#include "base/thread.h"
#include "pipeline/ledger.h"
#include "pipeline/pipeline_parts.h"

// Batches on their way to the shards. A file's are few: what waits is in the caches then. A live source needs
// more for the moments in which the shards do not get to run; when they are used up it waits a little, for
// the kernel's ring holds more still.
enum { BATCHES_FILE = 32, BATCHES_LIVE = 96, EMPTY_WAIT_MS = 20 };
// A shard that has so many before it gets no packets, so that it takes no batch from the others (live).
enum { BATCHES_BEHIND = BATCHES_LIVE / 2 };

void pipeline_wake_workers(struct pipeline *pipeline)
{
    if (pipeline->unannounced > 0)
        crew_ring(&pipeline->crew);
    pipeline->unannounced = 0;
}

// Takes a step for every worker that nobody runs. Whether there was anything to do.
static bool help_workers(struct pipeline *pipeline)
{
    bool helped = false;
    for (unsigned i = 0; i < pipeline->setup.workers; i++)
        helped |= worker_step(pipeline->workers[i], false) == WORKER_WORKED;
    return helped;
}

static void flush_workers(struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->setup.workers; i++)
        worker_flush(pipeline->workers[i]);
}

// Waits for an empty batch; live only a little. With a file the source has nothing else to do then, and does
// what the crew has not come to.
static bool await_batch(struct pipeline *pipeline, bool wait)
{
    if (batch_ring_is_ready(&pipeline->batches))
        return true;
    pipeline_wake_workers(pipeline);
    if (!wait)
        return batch_ring_wait(&pipeline->batches, EMPTY_WAIT_MS);
    while (!batch_ring_is_half_empty(&pipeline->batches) && help_workers(pipeline))
        ;
    flush_workers(pipeline);
    return batch_ring_is_ready(&pipeline->batches) || batch_ring_wait(&pipeline->batches, -1);
}

// Shards that are behind, as bits.
static uint32_t workers_behind(const struct pipeline *pipeline)
{
    uint32_t behind = 0;
    for (unsigned i = 0; i < pipeline->setup.workers; i++)
        behind |= (uint32_t)(worker_queued(pipeline->workers[i]) >= BATCHES_BEHIND) << i;
    return behind;
}

static struct batch *empty_batch(struct pipeline *pipeline, bool wait)
{
    if (!await_batch(pipeline, wait))
        return NULL;
    struct batch *batch = batch_ring_take(&pipeline->batches);
    if (!pipeline->dispatch.settings.lossless)
        batch->behind = workers_behind(pipeline);
    return batch;
}

// What the source knows at the end of a tick, for whoever merges it.
static void note_tick(struct pipeline *pipeline, const struct batch *batch)
{
    if (!pipeline->dispatch.settings.lossless)
        ledger_take_drops(&pipeline->counted, pipeline->source);
    struct tick_slot *slot = &pipeline->slots[batch->tick % pipeline->slot_count];
    slot->now_ns = batch->now_ns;
    slot->last = batch->mark == BATCH_SOURCE_END;
    totals_copy(&slot->totals, &pipeline->counted);
}

static void send_to_all(struct pipeline *pipeline, struct batch *batch)
{
    latch_close(&batch->done, pipeline->setup.workers);
    for (unsigned i = 0; i < pipeline->setup.workers; i++)
        worker_send(pipeline->workers[i], batch);
    pipeline->unannounced++;
}

// Every shard gets every batch. Shards of a file are woken for several at once.
struct batch *pipeline_send_batch(void *owner, struct batch *batch, bool wait)
{
    struct pipeline *pipeline = owner;
    bool lossless = pipeline->dispatch.settings.lossless;
    if (batch == NULL)
        return empty_batch(pipeline, wait);
    bool end = batch->mark == BATCH_SOURCE_END;
    if (batch->mark != BATCH_PACKETS) // before any shard sees the mark
        note_tick(pipeline, batch);
    send_to_all(pipeline, batch);
    if (!lossless || end || pipeline->unannounced >= pipeline->batches.count / 2)
        pipeline_wake_workers(pipeline);
    return end ? NULL : empty_batch(pipeline, wait);
}

static void *aggregate(void *argument)
{
    struct pipeline *pipeline = argument;
    bool last = false;
    for (uint64_t number = 0; !last; number++) {
        const struct shard_totals *counted[PIPELINE_WORKERS];
        for (unsigned i = 0; i < pipeline->setup.workers; i++)
            pipeline->runs[i] = worker_run(pipeline->workers[i], &counted[i]);
        const struct tick_slot *slot = &pipeline->slots[number % pipeline->slot_count];
        last = slot->last;
        int64_t now_ns = slot->now_ns;
        totals_copy(&pipeline->merged, &slot->totals);
        for (unsigned i = 0; i < pipeline->setup.workers; i++)
            pipeline_add_totals(&pipeline->merged, counted[i]);
        pipeline_consume(pipeline, number, now_ns, pipeline->setup.workers, last);
    }
    return NULL;
}

bool pipeline_create_workers(struct pipeline *pipeline)
{
    unsigned batches = pipeline->source->ops->lossless ? BATCHES_FILE : BATCHES_LIVE;
    // Ticks on their way: each holds a batch, or a part of every worker, so there are never as many.
    pipeline->slot_count = batches + 2 * WORKER_PARTS;
    pipeline->slots = calloc(pipeline->slot_count, sizeof *pipeline->slots);
    if (pipeline->slots == NULL || !batch_ring_init(&pipeline->batches, batches, pipeline->setup.batch))
        return false;
    unsigned threads = pipeline->setup.threads, workers = pipeline->setup.workers;
    if (threads == 0 || threads > workers)
        threads = workers;
    crew_init(&pipeline->crew, pipeline->workers, workers, threads);
    for (unsigned i = 0; i < workers; i++) {
        struct shard_setup setup = {
            .policy = pipeline->setup.policy,
            .number = i,
            .shards = pipeline->setup.workers,
            .names = pipeline->setup.names,
            .top_flows = pipeline->setup.top_flows,
        };
        pipeline->workers[i] = worker_create(&setup, crew_bell(&pipeline->crew, i), &pipeline->helping);
        if (pipeline->workers[i] == NULL)
            return false;
    }
    return true;
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
        if (help_workers(pipeline))
            continue;
        if (all_ended(pipeline))
            return;
        flush_workers(pipeline);
        bell_wait(&pipeline->helping, count);
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
}

bool pipeline_start_threads(struct pipeline *pipeline)
{
    bool good = crew_start(&pipeline->crew) && thread_start(&pipeline->aggregate, aggregate, pipeline);
    if (!good)
        stop_crew(pipeline);
    return good;
}

void pipeline_join_threads(struct pipeline *pipeline)
{
    help_to_the_end(pipeline);
    crew_join(&pipeline->crew);
    pthread_join(pipeline->aggregate, NULL);
}
