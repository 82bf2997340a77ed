#include <stdlib.h>
#include <string.h>

#include "aggregate/flow_event.h"
#include "capture/clock.h"
#include "export/event_format.h"
#include "micro/feed.h"
#include "micro/rows.h"
#include "micro/series.h"

enum { STEPS = 9 }; // packets of a flow

// Records of real flows: a shard's, at the end of its run.
static struct flow_record *make_records(uint64_t flows)
{
    struct feed *feed = malloc(sizeof *feed);
    struct flow_record *records = calloc(flows, sizeof *records);
    if (feed == NULL || records == NULL)
        micro_fail("no memory for %zu records", (size_t)flows);
    feed_init(feed, true);
    for (unsigned step = 0; step < STEPS; step++)
        feed_round(feed, flows, step);
    struct shard_report report = {0};
    shard_tick(feed->shard, feed->now_ns, true, false, &report);
    struct ended_record ended;
    uint64_t count = 0;
    for (; shard_next_ended(feed->shard, &ended); count++) {
        if (count < flows)
            records[count] = ended.record;
        flow_names_free(ended.record.names);
    }
    free(report.dns.items);
    micro_expect("records", count, flows);
    feed_done(feed);
    free(feed);
    return records;
}

// What aggregate does of it, without the names; borrowed until the next call.
static const struct flow_event *make_event(struct flow_record *record)
{
    static struct flow_event event;
    record->names = NULL;
    event = (struct flow_event){
        .record = *record,
        .text = {[EVENT_TEXT_NODE] = "bench", [EVENT_TEXT_INTERFACE] = "bench0"},
    };
    flow_event_identify(&event);
    return &event;
}

static double render(struct event_format *format, struct flow_record *records, uint64_t flows,
                     uint64_t *bytes)
{
    int64_t spent_ns = 0;
    for (uint64_t i = 0; i < flows; i++) {
        const struct flow_event *event = make_event(&records[i]);
        size_t length = 0;
        int64_t begin_ns = clock_now_ns();
        const char *line = event_format_line(format, event, &length);
        spent_ns += clock_now_ns() - begin_ns;
        if (line == NULL || length < 3 || line[0] != '{' || strcmp(line + length - 2, "}\n") != 0)
            micro_fail("flow %zu is no JSON line", (size_t)i);
        *bytes += length;
    }
    return (double)spent_ns / (double)flows;
}

void measure_export(const struct micro_options *options)
{
    struct series series = {0};
    uint64_t flows = options->rendered_flows, bytes = 0;
    struct flow_record *records = make_records(flows);
    struct event_format *format = event_format_create(&flow_vocabulary, FORMAT_JSONL);
    if (format == NULL)
        micro_fail("no memory for a format");
    for (unsigned i = 0; i < options->repetitions; i++) {
        bytes = 0;
        series_add(&series, render(format, records, flows, &bytes));
    }
    series_print(&series, "export, a flow to a JSON line", "ns/flow");
    figure_print("export, length of a line", (double)bytes / (double)flows, "bytes");
    event_format_destroy(format);
    free(records);
}
