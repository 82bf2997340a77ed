#include "pipeline/pipeline.h"

#include <sched.h>
#include <stdlib.h>

#include "pipeline/ledger.h"
#include "pipeline/pipeline_parts.h"

enum { POLL_FRAMES = 256 };

static bool build(struct pipeline *pipeline)
{
    const struct pipeline_setup *setup = &pipeline->setup;
    struct dispatch_settings dispatch = {
        .decode = setup->decode,
        .hash_seed = setup->policy.hash_seed,
        .index_seed = setup->policy.index_seed,
        .shards = setup->workers,
        .partitions = partition_count(setup->policy.max_flows),
        .tick_ns = setup->tick_ns,
        .tick_packets = setup->tick_packets,
        .datagrams = setup->datagrams,
        .packet_limit = setup->packet_limit,
        .interval_ns = setup->interval_ns,
        .lossless = pipeline->source->ops->lossless,
        .live = pipeline->source->ops->lossless ? NULL : pipeline->source,
    };
    uint64_t index_seed = setup->policy.index_seed;
    pipeline->listings = flow_listings_create(setup->instance, setup->instance ^ index_seed, setup->workers);
    return pipeline->listings != NULL && pipeline_create_workers(pipeline) &&
           dispatch_init(&pipeline->dispatch, &dispatch, batch_ring_take(&pipeline->batches),
                         &pipeline->counted, pipeline_send_batch, pipeline);
}

struct pipeline *pipeline_create(const struct pipeline_setup *setup, struct source *source,
                                 struct tick_consumer *consumer, struct error *error)
{
    struct pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (pipeline == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for the pipeline");
        return NULL;
    }
    pipeline->setup = *setup;
    pipeline->source = source;
    pipeline->consumer = consumer;
    mailbox_init(&pipeline->source_box);
    mailbox_init(&pipeline->answers);
    pthread_mutex_init(&pipeline->tapping, NULL);
    if (build(pipeline))
        return pipeline;
    error_set(error, ERROR_EXHAUSTED,
              "no memory for the pipeline: raise the limit of address space (ulimit -v), or set a "
              "lower flow.max_flows or pipeline.workers");
    pipeline_destroy(pipeline);
    return NULL;
}

void pipeline_destroy(struct pipeline *pipeline)
{
    if (pipeline == NULL)
        return;
    dispatch_done(&pipeline->dispatch);
    for (unsigned i = 0; i < PIPELINE_WORKERS; i++)
        worker_destroy(pipeline->workers[i]);
    batch_ring_done(&pipeline->batches);
    mailbox_done(&pipeline->source_box);
    mailbox_done(&pipeline->answers);
    pthread_mutex_destroy(&pipeline->tapping);
    flow_listings_destroy(pipeline->listings);
    free(pipeline->slots);
    free(pipeline->slot_of);
    free(pipeline);
}

// A file's were never asked for.
static void count_unwanted(struct pipeline *pipeline, const struct frame *frames, unsigned count)
{
    if (!pipeline->dispatch.settings.lossless)
        ledger_count_unwanted(&pipeline->dispatch.ledger, frames, count);
}

// Hands a poll's frames to the dispatch; false when run.count was reached.
static bool take_frames(struct pipeline *pipeline, const struct frame *frames, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!dispatch_frame(&pipeline->dispatch, &frames[i])) {
            count_unwanted(pipeline, frames + i, count - i);
            return false;
        }
    }
    return true;
}

// Nothing is there to be read. Where nobody else runs the shards, it is the time for their messages: whether there are
// more.
static bool pause_source(struct pipeline *pipeline)
{
    dispatch_idle(&pipeline->dispatch);
    pipeline_wake_workers(pipeline);
    if (pipeline->crew.threads > 0)
        return false;
    bool more = pipeline_help_workers(pipeline);
    pipeline_flush_workers(pipeline);
    return more;
}

static void read_source(struct pipeline *pipeline)
{
    struct frame frames[POLL_FRAMES];
    bool live = !pipeline->dispatch.settings.lossless;
    bool wanted = true, asked = false, rests = false;
    for (;;) {
        unsigned count = 0;
        int wait_ms = asked ? 0 : dispatch_wait_ms(&pipeline->dispatch);
        enum source_result result = source_poll(pipeline->source, wait_ms, frames, POLL_FRAMES, &count);
        dispatch_polled(&pipeline->dispatch);
        pipeline_serve_source(pipeline);
        if (result == SOURCE_END)
            return;
        if (result == SOURCE_FRAMES && !wanted)
            count_unwanted(pipeline, frames, count);
        else if (result == SOURCE_FRAMES && !take_frames(pipeline, frames, count)) {
            wanted = false;
            source_stop(pipeline->source, false);
        }
        if (result == SOURCE_RESTS && !rests)
            dispatch_rest(&pipeline->dispatch);
        rests = result == SOURCE_RESTS;
        bool last = live && count < POLL_FRAMES && !pipeline_is_busy(pipeline); // for now
        asked = (result != SOURCE_FRAMES || last) && pause_source(pipeline);
    }
}

// With a file nobody waits for a single packet: source and shards share the cores better when a thread that is
// woken does not push aside the one that runs. Threads inherit it.
static void schedule_as_batch(bool on)
{
    struct sched_param param = {0};
    sched_setscheduler(0, on ? SCHED_BATCH : SCHED_OTHER, &param);
}

static bool run(struct pipeline *pipeline, struct error *error)
{
    if (!pipeline_start_threads(pipeline, error))
        return false;
    mailbox_open(&pipeline->source_box);
    read_source(pipeline);
    mailbox_close(&pipeline->source_box);
    pipeline_serve_source(pipeline);
    dispatch_end(&pipeline->dispatch);
    pipeline_join_threads(pipeline);
    return ledger_check(&pipeline->counted, &pipeline->merged, pipeline->source, error);
}

bool pipeline_run(struct pipeline *pipeline, struct error *error)
{
    bool batch = pipeline->dispatch.settings.lossless && sched_getscheduler(0) == SCHED_OTHER;
    if (batch)
        schedule_as_batch(true);
    bool good = run(pipeline, error);
    if (batch)
        schedule_as_batch(false);
    return good;
}

struct pipeline_queue pipeline_queue_of(struct pipeline *pipeline)
{
    return (struct pipeline_queue){batch_ring_busy(&pipeline->batches), pipeline->batches.count};
}

const struct totals *pipeline_totals(const struct pipeline *pipeline)
{
    return &pipeline->merged;
}
