#include "export/event_writer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "aggregate/alert_event.h"
#include "base/thread.h"
#include "capture/clock.h"

enum { WAIT_MS = 200 };

const struct event_layout flow_events_layout = {offsetof(struct flow_block, events),
                                                sizeof(struct flow_event), "flows"};
const struct event_layout alert_events_layout = {offsetof(struct alert_block, events),
                                                 sizeof(struct alert_event), "alerts"};

static void take_run(struct event_writer *writer, const struct event_run *run)
{
    const char *events = (const char *)run->block + writer->layout->first;
    assert(run->begin <= run->end);
    int64_t now_ns = clock_now_ns();
    if (atomic_exchange(&writer->reopen_wanted, false))
        writer->ops->reopen(writer, now_ns);
    for (uint32_t i = run->begin; i < run->end; i++)
        writer->ops->take(writer, events + i * writer->layout->bytes, now_ns);
    if (!run->more)
        writer->ops->idle(writer, now_ns);
}

static void *writer_main(void *argument)
{
    struct event_writer *writer = argument;
    struct event_run run;
    while (event_reader_take(writer->reader, WAIT_MS, &run))
        take_run(writer, &run);
    writer->complete = writer->ops->close(writer, &writer->error);
    return NULL;
}

static bool start_thread(struct event_writer *writer)
{
    writer->running = thread_start(&writer->thread, writer_main, writer);
    if (writer->running)
        pthread_setname_np(writer->thread, "export");
    return writer->running;
}

static void stop_thread(struct event_writer *writer)
{
    if (!writer->running)
        return;
    atomic_store(&writer->ending, true);
    event_reader_end(writer->reader);
    pthread_join(writer->thread, NULL);
    writer->running = false;
}

static struct event_writer *writer_of(struct sink *sink)
{
    return (struct event_writer *)sink;
}

static bool sink_finish(struct sink *sink, const struct totals *totals, struct error *error)
{
    (void)totals;
    struct event_writer *writer = writer_of(sink);
    stop_thread(writer);
    uint64_t dropped = event_reader_missed(writer->reader);
    if (!writer->complete)
        *error = writer->error;
    else if (dropped > 0)
        return error_set(error, ERROR_DATA_LOSS,
                         "%s is incomplete: %" PRIu64 " %s came faster than they could be written",
                         writer->name, dropped, writer->layout->name);
    return writer->complete;
}

static void sink_destroy(struct sink *sink)
{
    struct event_writer *writer = writer_of(sink);
    writer->ops->destroy(writer);
}

static const struct sink_ops sink_rows = {
    .name = "export",
    .finish = sink_finish,
    .destroy = sink_destroy,
};

enum event_policy event_writer_policy(const struct export_options *options)
{
    return options->live ? EVENTS_DROP_UNTIL_END : EVENTS_WAIT;
}

bool event_writer_start(struct event_writer *writer, const struct event_writer_setup *setup,
                        struct error *error)
{
    bool to_stdout = strcmp(setup->name, "-") == 0;
    assert(setup->layout->first >= sizeof(struct event_block) && setup->layout->bytes > 0);
    writer->sink.ops = &sink_rows;
    writer->ops = setup->ops;
    writer->layout = setup->layout;
    snprintf(writer->name, sizeof writer->name, "%s", to_stdout ? "standard output" : setup->name);
    writer->reader = event_reader_create(setup->events, setup->policy, EVENTS_FROM_NOW);
    if (writer->reader == NULL || !start_thread(writer))
        return error_set(error, ERROR_EXHAUSTED, "cannot start the writer of %s: no memory or no thread",
                         writer->name);
    return true;
}

bool event_writer_is_ending(const struct event_writer *writer)
{
    return atomic_load(&writer->ending);
}

void event_writer_done(struct event_writer *writer)
{
    stop_thread(writer);
    event_reader_destroy(writer->reader);
}

void export_counts(const struct sink *sink, struct export_counts *out)
{
    struct event_writer *writer = (struct event_writer *)(uintptr_t)sink;
    *out = (struct export_counts){
        .records = atomic_load(&writer->counts.records),
        .bytes = atomic_load(&writer->counts.bytes),
        .dropped = event_reader_missed(writer->reader),
        .lost = atomic_load(&writer->counts.lost),
        .errors = atomic_load(&writer->counts.errors),
        .failing = atomic_load(&writer->counts.failing),
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
