#include "export/flow_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/thread.h"
#include "capture/clock.h"

enum { QUEUE_BYTES = 4 << 20, WAIT_MS = 200 };

static void take_batch(struct flow_writer *writer, struct flow_batch *batch)
{
    int64_t now_ns = clock_now_ns();
    if (atomic_exchange(&writer->reopen_wanted, false))
        writer->ops->reopen(writer, now_ns);
    for (const struct packed_flow *packed; (packed = flow_batch_next(batch)) != NULL;)
        writer->ops->take(writer, packed, now_ns);
    if (flow_queue_is_empty(&writer->queue))
        writer->ops->idle(writer, now_ns);
}

static void *writer_main(void *argument)
{
    struct flow_writer *writer = argument;
    struct flow_batch batch;
    while (flow_queue_take(&writer->queue, WAIT_MS, &batch))
        take_batch(writer, &batch);
    writer->complete = writer->ops->close(writer, &writer->error);
    return NULL;
}

static bool start_thread(struct flow_writer *writer)
{
    writer->running = thread_start(&writer->thread, writer_main, writer);
    if (writer->running)
        pthread_setname_np(writer->thread, "export");
    return writer->running;
}

static void stop_thread(struct flow_writer *writer)
{
    if (!writer->running)
        return;
    flow_queue_close(&writer->queue);
    pthread_join(writer->thread, NULL);
    writer->running = false;
}

static struct flow_writer *writer_of(struct sink *sink)
{
    return (struct flow_writer *)sink;
}

static void sink_flow(struct sink *sink, const struct named_flow *flow)
{
    struct flow_writer *writer = writer_of(sink);
    if (flow->record->final || !writer->ops->final_only)
        flow_queue_push(&writer->queue, flow);
}

static void sink_tick(struct sink *sink, const struct totals *totals, int64_t now_ns)
{
    (void)totals;
    (void)now_ns;
    flow_queue_wake(&writer_of(sink)->queue);
}

static bool sink_finish(struct sink *sink, const struct totals *totals, struct error *error)
{
    (void)totals;
    struct flow_writer *writer = writer_of(sink);
    stop_thread(writer);
    uint64_t dropped = atomic_load(&writer->queue.dropped);
    if (!writer->complete)
        *error = writer->error;
    else if (dropped > 0)
        return error_set(error, ERROR_DATA_LOSS,
                         "%s is incomplete: %" PRIu64 " flows came faster than they could be written",
                         writer->name, dropped);
    return writer->complete;
}

static void sink_destroy(struct sink *sink)
{
    struct flow_writer *writer = writer_of(sink);
    writer->ops->destroy(writer);
}

static const struct sink_ops sink_rows = {
    .name = "export",
    .flow = sink_flow,
    .tick = sink_tick,
    .finish = sink_finish,
    .destroy = sink_destroy,
};

bool flow_writer_start(struct flow_writer *writer, const char *name, const struct flow_writer_ops *ops,
                       bool live, struct error *error)
{
    writer->sink.ops = &sink_rows;
    writer->ops = ops;
    snprintf(writer->name, sizeof writer->name, "%s", strcmp(name, "-") == 0 ? "standard output" : name);
    if (!flow_queue_init(&writer->queue, QUEUE_BYTES, !live) || !start_thread(writer))
        return error_set(error, ERROR_EXHAUSTED, "cannot start the writer of %s: no memory or no thread",
                         writer->name);
    return true;
}

void flow_writer_done(struct flow_writer *writer)
{
    stop_thread(writer);
    flow_queue_done(&writer->queue);
}

void export_counts(const struct sink *sink, struct export_counts *out)
{
    const struct flow_writer *writer = (const struct flow_writer *)sink;
    *out = (struct export_counts){
        .records = atomic_load(&writer->counts.records),
        .bytes = atomic_load(&writer->counts.bytes),
        .dropped = atomic_load(&writer->queue.dropped),
        .lost = atomic_load(&writer->counts.lost),
        .errors = atomic_load(&writer->counts.errors),
    };
}

void export_reopen(struct sink *sink)
{
    atomic_store(&writer_of(sink)->reopen_wanted, true);
}
