#include "export/flow_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/thread.h"
#include "capture/clock.h"

enum { WAIT_MS = 200 };

static void take_run(struct flow_writer *writer, const struct event_run *run)
{
    const struct flow_block *block = (const struct flow_block *)(const void *)run->block;
    int64_t now_ns = clock_now_ns();
    if (atomic_exchange(&writer->reopen_wanted, false))
        writer->ops->reopen(writer, now_ns);
    for (uint32_t i = run->begin; i < run->end; i++)
        writer->ops->take(writer, &block->events[i], now_ns);
    if (!run->more)
        writer->ops->idle(writer, now_ns);
}

static void *writer_main(void *argument)
{
    struct flow_writer *writer = argument;
    struct event_run run;
    while (event_reader_take(writer->reader, WAIT_MS, &run))
        take_run(writer, &run);
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
    event_reader_end(writer->reader);
    pthread_join(writer->thread, NULL);
    writer->running = false;
}

static struct flow_writer *writer_of(struct sink *sink)
{
    return (struct flow_writer *)sink;
}

static bool sink_finish(struct sink *sink, const struct totals *totals, struct error *error)
{
    (void)totals;
    struct flow_writer *writer = writer_of(sink);
    stop_thread(writer);
    uint64_t dropped = event_reader_missed(writer->reader);
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
    .finish = sink_finish,
    .destroy = sink_destroy,
};

bool flow_writer_start(struct flow_writer *writer, const char *name, const struct flow_writer_ops *ops,
                       const struct export_options *options, struct error *error)
{
    enum event_policy policy = options->live ? EVENTS_DROP_UNTIL_END : EVENTS_WAIT;
    writer->sink.ops = &sink_rows;
    writer->ops = ops;
    snprintf(writer->name, sizeof writer->name, "%s", strcmp(name, "-") == 0 ? "standard output" : name);
    writer->reader = event_reader_create(options->events, policy, EVENTS_FROM_NOW);
    if (writer->reader == NULL || !start_thread(writer))
        return error_set(error, ERROR_EXHAUSTED, "cannot start the writer of %s: no memory or no thread",
                         writer->name);
    return true;
}

void flow_writer_done(struct flow_writer *writer)
{
    stop_thread(writer);
    event_reader_destroy(writer->reader);
}

void export_counts(const struct sink *sink, struct export_counts *out)
{
    struct flow_writer *writer = (struct flow_writer *)(uintptr_t)sink;
    *out = (struct export_counts){
        .records = atomic_load(&writer->counts.records),
        .bytes = atomic_load(&writer->counts.bytes),
        .dropped = event_reader_missed(writer->reader),
        .lost = atomic_load(&writer->counts.lost),
        .errors = atomic_load(&writer->counts.errors),
    };
}

void export_keep_free(struct sink *sink, uint64_t min_free_bytes)
{
    atomic_store(&writer_of(sink)->counts.min_free_bytes, min_free_bytes);
}

void export_reopen(struct sink *sink)
{
    atomic_store(&writer_of(sink)->reopen_wanted, true);
}
