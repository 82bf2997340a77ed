#include "pipeline/pipeline.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/worker.h"

enum { POLL_FRAMES = 256 };

// Batches on their way to the shards. A file's are few: what waits is in the caches then. A live source needs
// more for the moments in which the shards do not get to run; when they are used up it waits a little, for
// the kernel's ring holds more still.
enum { BATCHES_FILE = 32, BATCHES_LIVE = 96, EMPTY_WAIT_MS = 20 };
// A shard that has so many before it gets no packets, so that it takes no batch from the others (live).
enum { BATCHES_BEHIND = BATCHES_LIVE / 2 };

// Ticks on their way: each holds a batch, or a part of every worker, so there are never as many.
enum { TICK_SLOTS = BATCHES_LIVE + 2 * WORKER_PARTS };

// What the source knows at the end of a tick.
struct tick_slot {
    int64_t now_ns;
    bool last;
    struct totals totals;
};

// The one shard of an inline pipeline, and how its ticks are read.
struct inline_shard {
    struct tick_run run; // first
    struct shard *shard;
    struct batch batch;
    struct ended_record record;
    struct top_flow top[TICK_TOP_FLOWS];
};

struct pipeline {
    struct pipeline_setup setup;
    struct source *source;
    struct tick_consumer *consumer;
    struct dispatch dispatch;
    struct totals counted; // the source thread's
    struct totals merged;  // the consumer's: with what the shards counted
    struct tick_run *runs[PIPELINE_WORKERS];
    struct inline_shard alone;
    // With more than one worker:
    struct worker *workers[PIPELINE_WORKERS];
    struct batch batches[BATCHES_LIVE]; // used in turn: they come back in their order
    unsigned batch_count, next_batch;
    unsigned unannounced; // batches sent since the workers were woken
    struct tick_slot *slots;
    pthread_t aggregate;
};

static void add_shard_totals(struct totals *to, const struct shard_totals *from)
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

// The source's losses, by interface and cause.
static void take_drops(struct pipeline *pipeline)
{
    struct totals *totals = &pipeline->counted;
    memset(totals->lost, 0, sizeof totals->lost);
    totals->received = 0;
    unsigned interfaces = source_interfaces(pipeline->source);
    if (interfaces > TOTALS_INTERFACES)
        interfaces = TOTALS_INTERFACES;
    if (totals->interfaces < interfaces)
        totals->interfaces = interfaces;
    for (unsigned i = 0; i < totals->interfaces; i++) {
        struct interface_totals *row = &totals->interface[i];
        struct source_drops drops = {0};
        if (i < interfaces)
            pipeline->source->ops->drops(pipeline->source, i, &drops);
        row->lost[LOST_KERNEL_RING] = drops.kernel_dropped;
        row->lost[LOST_DISPATCH_QUEUE] = drops.no_chunk + row->no_batch;
        row->lost[LOST_STOP_UNREAD] = drops.unread;
        row->interface_dropped = drops.interface_dropped;
        row->source_received = drops.exact ? drops.received : 0;
        row->received = row->delivered + drops.kernel_dropped + drops.no_chunk + drops.unread;
        totals->received += row->received;
        for (int cause = 0; cause < LOST_CAUSES; cause++)
            totals->lost[cause] += row->lost[cause];
    }
}

static void consume(struct pipeline *pipeline, uint64_t number, int64_t now_ns, unsigned runs)
{
    struct pipeline_tick tick = {
        .number = number,
        .now_ns = now_ns,
        .totals = &pipeline->merged,
        .runs = pipeline->runs,
        .run_count = runs,
    };
    tick_begin(&tick);
    pipeline->consumer->tick(pipeline->consumer, &tick);
}

// Inline.

static const struct ended_record *next_inline(struct tick_run *run)
{
    struct inline_shard *alone = (struct inline_shard *)run;
    return shard_next_ended(alone->shard, &alone->record) ? &alone->record : NULL;
}

static struct batch *run_inline(void *owner, struct batch *batch, bool wait)
{
    struct pipeline *pipeline = owner;
    struct inline_shard *alone = &pipeline->alone;
    (void)wait;
    shard_batch(alone->shard, batch);
    if (batch->mark != BATCH_PACKETS) {
        shard_tick(alone->shard, batch->now_ns, batch->mark == BATCH_SOURCE_END);
        shard_swap_dns(alone->shard, &alone->run.dns);
        alone->run.dns_taken = 0;
        alone->run.top_count =
            batch->interval_end ? shard_top_flows(alone->shard, alone->top, TICK_TOP_FLOWS) : 0;
        if (!pipeline->dispatch.settings.lossless)
            take_drops(pipeline);
        totals_copy(&pipeline->merged, &pipeline->counted);
        add_shard_totals(&pipeline->merged, shard_totals(alone->shard));
        consume(pipeline, batch->tick, batch->now_ns, 1);
    }
    batch_clear(batch);
    return batch;
}

static bool create_inline(struct pipeline *pipeline)
{
    struct inline_shard *alone = &pipeline->alone;
    struct shard_setup setup = {
        .policy = pipeline->setup.policy,
        .shards = 1,
        .names = pipeline->setup.names,
        .top_flows = pipeline->setup.top_flows,
    };
    alone->run = (struct tick_run){.next = next_inline, .top = alone->top};
    alone->shard = shard_create(&setup);
    pipeline->runs[0] = &alone->run;
    return alone->shard != NULL && batch_init(&alone->batch, pipeline->setup.batch);
}

// Threads.

static void wake_workers(struct pipeline *pipeline)
{
    for (unsigned i = 0; pipeline->unannounced > 0 && i < pipeline->setup.workers; i++)
        worker_wake(pipeline->workers[i]);
    pipeline->unannounced = 0;
}

// Waits for an empty batch. A file waits until half of them are, so that neither side wakes the other for
// each one.
static bool await_batch(struct pipeline *pipeline, bool wait)
{
    unsigned until = pipeline->next_batch;
    if (latch_is_open(&pipeline->batches[until].done))
        return true;
    wake_workers(pipeline);
    if (!wait)
        return latch_wait(&pipeline->batches[until].done, EMPTY_WAIT_MS);
    until = (until + pipeline->batch_count / 2) % pipeline->batch_count;
    return latch_wait(&pipeline->batches[until].done, -1);
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
    struct batch *batch = &pipeline->batches[pipeline->next_batch];
    pipeline->next_batch = (pipeline->next_batch + 1) % pipeline->batch_count;
    if (!pipeline->dispatch.settings.lossless)
        batch->behind = workers_behind(pipeline);
    return batch;
}

// What the source knows at the end of a tick, for whoever merges it.
static void note_tick(struct pipeline *pipeline, const struct batch *batch)
{
    if (!pipeline->dispatch.settings.lossless)
        take_drops(pipeline);
    struct tick_slot *slot = &pipeline->slots[batch->tick % TICK_SLOTS];
    slot->now_ns = batch->now_ns;
    slot->last = batch->mark == BATCH_SOURCE_END;
    totals_copy(&slot->totals, &pipeline->counted);
}

// Every shard gets every batch. Shards of a file are woken for several at once.
static struct batch *send_batch(void *owner, struct batch *batch, bool wait)
{
    struct pipeline *pipeline = owner;
    bool lossless = pipeline->dispatch.settings.lossless;
    if (batch == NULL)
        return empty_batch(pipeline, wait);
    bool end = batch->mark == BATCH_SOURCE_END;
    if (batch->mark != BATCH_PACKETS) // before any shard sees the mark
        note_tick(pipeline, batch);
    latch_close(&batch->done, pipeline->setup.workers);
    for (unsigned i = 0; i < pipeline->setup.workers; i++)
        worker_send(pipeline->workers[i], batch);
    pipeline->unannounced++;
    if (!lossless || end || pipeline->unannounced >= pipeline->batch_count / 2)
        wake_workers(pipeline);
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
        const struct tick_slot *slot = &pipeline->slots[number % TICK_SLOTS];
        last = slot->last;
        int64_t now_ns = slot->now_ns;
        totals_copy(&pipeline->merged, &slot->totals);
        for (unsigned i = 0; i < pipeline->setup.workers; i++)
            add_shard_totals(&pipeline->merged, counted[i]);
        consume(pipeline, number, now_ns, pipeline->setup.workers);
    }
    return NULL;
}

static bool create_batches(struct pipeline *pipeline)
{
    pipeline->batch_count = pipeline->source->ops->lossless ? BATCHES_FILE : BATCHES_LIVE;
    for (unsigned i = 0; i < pipeline->batch_count; i++)
        if (!batch_init(&pipeline->batches[i], pipeline->setup.batch))
            return false;
    return true;
}

static bool create_workers(struct pipeline *pipeline)
{
    pipeline->slots = calloc(TICK_SLOTS, sizeof *pipeline->slots);
    if (pipeline->slots == NULL || !create_batches(pipeline))
        return false;
    for (unsigned i = 0; i < pipeline->setup.workers; i++) {
        struct shard_setup setup = {
            .policy = pipeline->setup.policy,
            .number = i,
            .shards = pipeline->setup.workers,
            .names = pipeline->setup.names,
            .top_flows = pipeline->setup.top_flows,
        };
        pipeline->workers[i] = worker_create(&setup);
        if (pipeline->workers[i] == NULL)
            return false;
    }
    return true;
}

// Ends the workers that did start, before any packet came.
static void stop_workers(struct pipeline *pipeline, unsigned started)
{
    struct batch *batch = &pipeline->batches[0];
    batch->mark = BATCH_SOURCE_END;
    latch_close(&batch->done, started);
    for (unsigned i = 0; i < started; i++)
        worker_send(pipeline->workers[i], batch);
    for (unsigned i = 0; i < started; i++) {
        worker_wake(pipeline->workers[i]);
        worker_join(pipeline->workers[i]);
    }
}

static bool start_threads(struct pipeline *pipeline)
{
    unsigned started = 0;
    while (started < pipeline->setup.workers && worker_start(pipeline->workers[started]))
        started++;
    sigset_t all, before; // signals are the main thread's
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool good = started == pipeline->setup.workers &&
                pthread_create(&pipeline->aggregate, NULL, aggregate, pipeline) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!good)
        stop_workers(pipeline, started);
    return good;
}

static void join_threads(struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->setup.workers; i++)
        worker_join(pipeline->workers[i]);
    pthread_join(pipeline->aggregate, NULL);
}

// Both.

struct pipeline *pipeline_create(const struct pipeline_setup *setup, struct source *source,
                                 struct tick_consumer *consumer, struct error *error)
{
    struct pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (pipeline == NULL) {
        error_set(error, EXIT_USAGE, "no memory for the pipeline");
        return NULL;
    }
    pipeline->setup = *setup;
    pipeline->source = source;
    pipeline->consumer = consumer;
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
    bool whole = threads ? create_workers(pipeline) : create_inline(pipeline);
    struct batch *open = threads ? &pipeline->batches[0] : &pipeline->alone.batch;
    pipeline->next_batch = 1;
    if (!whole || !dispatch_init(&pipeline->dispatch, &dispatch, open, &pipeline->counted,
                                 threads ? send_batch : run_inline, pipeline)) {
        error_set(error, EXIT_USAGE, "no memory for the pipeline: lower flow.max_flows or pipeline.workers");
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
    for (unsigned i = 0; i < BATCHES_LIVE; i++)
        batch_done(&pipeline->batches[i]);
    free(pipeline->slots);
    free(pipeline);
}

void pipeline_add_tap(struct pipeline *pipeline, struct tap *tap)
{
    dispatch_add_tap(&pipeline->dispatch, tap);
}

// Frames behind run.count: a file's were never asked for, a live one's are left out of the ledger.
static void count_unwanted(struct pipeline *pipeline, const struct frame *frames, unsigned count)
{
    if (pipeline->dispatch.settings.lossless)
        return;
    for (unsigned i = 0; i < count; i++) {
        unsigned row = frames[i].interface < TOTALS_INTERFACES ? frames[i].interface : TOTALS_INTERFACES - 1;
        pipeline->counted.interface[row].unwanted++;
    }
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

static void pause_source(struct pipeline *pipeline)
{
    dispatch_idle(&pipeline->dispatch);
    wake_workers(pipeline);
}

static void read_source(struct pipeline *pipeline)
{
    struct frame frames[POLL_FRAMES];
    bool live = !pipeline->dispatch.settings.lossless;
    bool wanted = true;
    for (;;) {
        unsigned count = 0;
        enum source_result result =
            source_poll(pipeline->source, dispatch_wait_ms(&pipeline->dispatch), frames, POLL_FRAMES, &count);
        dispatch_polled(&pipeline->dispatch);
        if (result == SOURCE_END)
            return;
        if (result == SOURCE_FRAMES && !wanted)
            count_unwanted(pipeline, frames, count);
        else if (result == SOURCE_FRAMES && !take_frames(pipeline, frames, count)) {
            wanted = false;
            source_stop(pipeline->source, false);
        }
        if (result == SOURCE_IDLE || (live && count < POLL_FRAMES))
            pause_source(pipeline);
    }
}

// libpcap's own count of an interface against what was handed over and lost there, both of one moment: live
// packets go on arriving while the run ends.
static bool check_interface(const struct pipeline *pipeline, unsigned i, struct error *error)
{
    const struct interface_totals *row = &pipeline->counted.interface[i];
    uint64_t seen = row->received + row->unwanted;
    if (row->source_received == 0 || seen == row->source_received)
        return true;
    return error_set(error, EXIT_LEDGER,
                     "the ledger of %s does not add up: libpcap counted %" PRIu64
                     " packets, NetScope %" PRIu64 "; this is a bug, please report it with this line",
                     source_interface(pipeline->source, i)->name, row->source_received, seen);
}

static bool check_ledger(const struct pipeline *pipeline, struct error *error)
{
    int64_t missing;
    if (!totals_balanced(&pipeline->merged, &missing))
        return error_set(error, EXIT_LEDGER,
                         "the ledger does not add up: %" PRId64 " of %" PRIu64
                         " packets are in no bucket; this is a bug, please report it with this line",
                         missing, pipeline->merged.received);
    if (pipeline->dispatch.settings.lossless)
        return true;
    unsigned interfaces = source_interfaces(pipeline->source);
    for (unsigned i = 0; i < interfaces && i < TOTALS_INTERFACES; i++)
        if (!check_interface(pipeline, i, error))
            return false;
    return true;
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
    if (threads && !start_threads(pipeline))
        return error_set(error, EXIT_USAGE,
                         "no thread could be started: raise the limit of processes (ulimit -u)");
    read_source(pipeline);
    dispatch_end(&pipeline->dispatch);
    if (threads)
        join_threads(pipeline);
    return check_ledger(pipeline, error);
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

const struct totals *pipeline_totals(const struct pipeline *pipeline)
{
    return &pipeline->merged;
}
