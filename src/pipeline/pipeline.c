#include "pipeline/pipeline.h"

#include <sched.h>
#include <stdlib.h>

#include "pipeline/ledger.h"
#include "pipeline/pipeline_parts.h"

enum { POLL_FRAMES = 256 };

void pipeline_add_totals(struct totals *to, const struct shard_totals *from)
{
    to->analysed += from->analysed;
    to->analysed_bytes += from->analysed_bytes;
    to->duplicate += from->duplicate;
    to->second_sightings += from->second_sightings;
    to->flows_created += from->flows_created;
    to->flows_active += from->flows_active;
    to->flows_refused += from->flows_refused;
    to->flow_table_bytes += from->flow_table_bytes;
    to->dns_messages += from->dns_messages;
    to->tls_hellos += from->tls_hellos;
    to->decode_errors[DECODE_LAYER_APP][DECODE_BAD_MESSAGE] += from->bad_messages;
    for (int reason = 0; reason < END_REASONS; reason++)
        to->flows_ended[reason] += from->flows_ended[reason];
    for (int protocol = 0; protocol < 256; protocol++) {
        to->protocol_packets[protocol] += from->protocol_packets[protocol];
        to->protocol_bytes[protocol] += from->protocol_bytes[protocol];
    }
}

void pipeline_consume(struct pipeline *pipeline, uint64_t number, int64_t now_ns, unsigned runs, bool last)
{
    struct pipeline_tick tick = {
        .number = number,
        .now_ns = now_ns,
        .totals = &pipeline->merged,
        .runs = pipeline->runs,
        .run_count = runs,
        .last = last,
    };
    tick_begin(&tick);
    pipeline->consumer->tick(pipeline->consumer, &tick);
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
    pthread_mutex_init(&pipeline->asking, NULL);
    bool threads = setup->workers > 1;
    struct dispatch_settings dispatch = {
        .decode = setup->decode,
        .hash_seed = setup->policy.hash_seed,
        .shards = setup->workers,
        .partitions = partition_count(setup->policy.max_flows),
        .tick_ns = setup->tick_ns,
        .packet_limit = setup->packet_limit,
        .interval_ns = setup->interval_ns,
        .lossless = source->ops->lossless,
    };
    bool whole = threads ? pipeline_create_workers(pipeline) : pipeline_create_inline(pipeline);
    struct batch *open = &pipeline->alone.batch;
    if (whole && threads)
        open = batch_ring_take(&pipeline->batches);
    if (!whole || !dispatch_init(&pipeline->dispatch, &dispatch, open, &pipeline->counted,
                                 threads ? pipeline_send_batch : pipeline_run_inline, pipeline)) {
        error_set(error, ERROR_EXHAUSTED,
                  "no memory for the pipeline: raise the limit of address space (ulimit -v), or set a "
                  "lower flow.max_flows or pipeline.workers");
        pipeline_destroy(pipeline);
        return NULL;
    }
    return pipeline;
}

void pipeline_destroy(struct pipeline *pipeline)
{
    if (pipeline == NULL)
        return;
    dispatch_done(&pipeline->dispatch);
    for (unsigned i = 0; i < PIPELINE_WORKERS; i++)
        worker_destroy(pipeline->workers[i]);
    shard_destroy(pipeline->alone.shard);
    free(pipeline->alone.run.dns.items);
    batch_done(&pipeline->alone.batch);
    batch_ring_done(&pipeline->batches);
    pthread_mutex_destroy(&pipeline->asking);
    free(pipeline->slots);
    free(pipeline);
}

void pipeline_add_tap(struct pipeline *pipeline, struct tap *tap)
{
    dispatch_add_tap(&pipeline->dispatch, tap);
}

// A file's were never asked for.
static void count_unwanted(struct pipeline *pipeline, const struct frame *frames, unsigned count)
{
    if (!pipeline->dispatch.settings.lossless)
        ledger_count_unwanted(&pipeline->counted, frames, count);
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

// Nothing is there to be read. Inline, it is the time to answer questions: whether there is more to answer.
static bool pause_source(struct pipeline *pipeline)
{
    dispatch_idle(&pipeline->dispatch);
    pipeline_wake_workers(pipeline);
    return pipeline->alone.shard != NULL && shard_answer(pipeline->alone.shard);
}

static void read_source(struct pipeline *pipeline)
{
    struct frame frames[POLL_FRAMES];
    bool live = !pipeline->dispatch.settings.lossless;
    bool wanted = true, asked = false;
    for (;;) {
        unsigned count = 0;
        int wait_ms = asked ? 0 : dispatch_wait_ms(&pipeline->dispatch);
        enum source_result result = source_poll(pipeline->source, wait_ms, frames, POLL_FRAMES, &count);
        dispatch_polled(&pipeline->dispatch);
        if (result == SOURCE_END)
            return;
        if (result == SOURCE_FRAMES && !wanted)
            count_unwanted(pipeline, frames, count);
        else if (result == SOURCE_FRAMES && !take_frames(pipeline, frames, count)) {
            wanted = false;
            source_stop(pipeline->source, false);
        }
        asked = (result == SOURCE_IDLE || (live && count < POLL_FRAMES)) && pause_source(pipeline);
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
    bool threads = pipeline->setup.workers > 1;
    if (threads && !pipeline_start_threads(pipeline))
        return error_set(error, ERROR_EXHAUSTED,
                         "no thread could be started: raise the limit of processes (ulimit -u)");
    if (!threads)
        shard_begin_answering(pipeline->alone.shard);
    read_source(pipeline);
    dispatch_end(&pipeline->dispatch);
    if (threads)
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

static enum mailbox_result ask_shard(struct pipeline *pipeline, unsigned i, struct question *question)
{
    return pipeline->alone.shard != NULL ? shard_ask(pipeline->alone.shard, question)
                                         : worker_ask(pipeline->workers[i], question);
}

bool pipeline_ask(struct pipeline *pipeline, const struct flow_query *query, struct flow_answer *out,
                  struct error *error)
{
    if (query->limit < 1 || query->limit > FLOW_QUERY_LIMIT)
        return error_set(error, ERROR_INVALID_ARGUMENT, "a question is answered with 1 to %d flows, not %u",
                         FLOW_QUERY_LIMIT, query->limit);
    struct question *question = question_create(query, pipeline->setup.workers);
    if (question == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for the answer: ask for fewer flows");
    unsigned asked = 0;
    pthread_mutex_lock(&pipeline->asking);
    for (unsigned i = 0; i < pipeline->setup.workers; i++) {
        if (ask_shard(pipeline, i, question) == MAILBOX_POSTED)
            asked++;
        else
            question_arrive(question);
    }
    question_await(question, out);
    pthread_mutex_unlock(&pipeline->asking);
    question_destroy(question);
    if (asked == pipeline->setup.workers)
        return true;
    flow_answer_done(out);
    return error_set(error, ERROR_FAILED_PRECONDITION,
                     "nothing is captured: the run has not begun, or it has ended");
}

const struct totals *pipeline_totals(const struct pipeline *pipeline)
{
    return &pipeline->merged;
}
