#include <pthread.h>
#include <zlib.h>

#include "../aggregate/events.h"
#include "../api/sample_flow.h"
#include "output_events.h"

static void begin(void)
{
    begin_with(make_flow_log(65536));
}

TestSuite(event_stream, .init = begin, .fini = end);

static void push_flows(unsigned count)
{
    struct flow_event sample;
    sample_flow_full(&sample);
    for (unsigned i = 0; i < count; i++) {
        sample.record.packets[0] = i;
        put_event(events, &sample);
    }
}

Test(event_stream, every_flow_in_its_order)
{
    struct export_counts counts;
    struct sink *sink =
        stream_jsonl_create(output_path("a.jsonl"), &(struct export_options){.events = events}, &error);
    cr_assert(sink != NULL, "%s", error.text);
    push_flows(10000); // more than the queue holds at once
    finish_whole(sink, &counts);
    cr_assert(eq(u64, counts.records, 10000));
    cr_assert(eq(u64, counts.dropped, 0));
    char *text = file_text(output_path("a.jsonl"));
    char *line = text;
    for (unsigned i = 0; i < 10000; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "\"packets_a_to_b\":%u,", i);
        char *end = strchr(line, '\n');
        cr_assert(end != NULL && end[-1] == '}' && line[0] == '{');
        *end = '\0';
        cr_assert(strstr(line, wanted) != NULL, "line %u: %s", i, line);
        line = end + 1;
    }
    cr_assert(eq(chr, *line, '\0'));
    free(text);
}

Test(event_stream, csv_has_one_header_a_file)
{
    struct export_counts counts;
    struct export_options options = {.events = events, .rotate_bytes = 4000};
    struct sink *sink = stream_csv_create(output_path("a.csv"), &options, &error);
    cr_assert(sink != NULL, "%s", error.text);
    push_flows(20);
    finish_whole(sink, &counts);
    cr_assert(files_in_directory() > 1);
    unsigned lines = 0;
    for (unsigned number = 1; number <= files_in_directory(); number++) {
        char name[32];
        snprintf(name, sizeof name, "a.%06u.csv", number);
        char *text = file_text(output_path(name));
        cr_assert(strncmp(text, "protocol,endpoint_a.ip,", 23) == 0, "%s: %s", name, text);
        lines += lines_in(text) - 1;
        free(text);
    }
    cr_assert(eq(uint, lines, 20));
}

Test(event_stream, interim_records_are_streamed)
{
    struct export_counts counts;
    struct sink *sink =
        stream_jsonl_create(output_path("a.jsonl"), &(struct export_options){.events = events}, &error);
    struct flow_event sample;
    sample_flow_full(&sample);
    sample.record.final = false;
    sample.record.reason = END_ACTIVE;
    sample.record.event = FLOW_CHANGED;
    put_event(events, &sample);
    sample.record.event = FLOW_BEGAN; // for streams of the API only
    put_event(events, &sample);
    finish_whole(sink, &counts);
    cr_expect(eq(u64, counts.records, 1));
    char *text = file_text(output_path("a.jsonl"));
    cr_assert(strstr(text, "\"reason\":\"active\",\"record_seq\":2,\"final\":false") != NULL, "%s", text);
    free(text);
}

Test(event_stream, full_device_ends_with_a_sentence)
{
    struct totals *none = NULL;
    struct export_counts counts;
    struct sink *sink = stream_jsonl_create("/dev/full", &(struct export_options){.events = events}, &error);
    cr_assert(sink != NULL, "%s", error.text);
    push_flows(5);
    cr_assert(not(sink->ops->finish(sink, none, &error)));
    cr_expect(eq(int, (int)error.kind, ERROR_DATA_LOSS));
    cr_expect(strstr(error.text, "/dev/full is incomplete: No space left on device") != NULL, "%s",
              error.text);
    export_counts(sink, &counts);
    cr_expect(eq(u64, counts.lost, 5));
    cr_expect(eq(u64, counts.records, 0));
    sink->ops->destroy(sink);
}

static void *finish_sink(void *sink)
{
    bool complete = ((struct sink *)sink)->ops->finish(sink, NULL, &error);
    cr_expect(not(complete));
    return NULL;
}

// A pipe that nobody reads stands for a disk that hangs: the aggregate goes on, flows are counted.
Test(event_stream, stalled_output_drops_and_counts_when_live)
{
    int ends[2];
    cr_assert(pipe(ends) == 0);
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
    event_log_destroy(events);
    events = make_flow_log(1000);
    struct export_options options = {.events = events, .live = true};
    struct sink *sink = stream_jsonl_create(path, &options, &error);
    cr_assert(sink != NULL, "%s", error.text);
    push_flows(50000);

    // The reader is back: all that was not dropped arrives.
    close(ends[1]);
    FILE *reader = fdopen(ends[0], "r");
    pthread_t finisher;
    cr_assert(pthread_create(&finisher, NULL, finish_sink, sink) == 0);
    uint64_t lines = 0;
    for (int byte; (byte = getc(reader)) != EOF;)
        lines += byte == '\n';
    pthread_join(finisher, NULL);
    struct export_counts counts;
    export_counts(sink, &counts);
    cr_assert(counts.dropped > 0);
    cr_assert(eq(u64, lines, counts.records));
    cr_assert(eq(u64, lines + counts.dropped, 50000));
    cr_expect(strstr(error.text, "flows came faster than they could be written") != NULL, "%s", error.text);
    sink->ops->destroy(sink);
    fclose(reader);
}

Test(event_stream, reopen_follows_a_moved_file)
{
    struct export_counts counts;
    struct sink *sink =
        stream_jsonl_create(output_path("a.jsonl"), &(struct export_options){.events = events}, &error);
    rename(output_path("a.jsonl"), output_path("old.jsonl"));
    export_reopen(sink);
    push_flows(1);
    finish_whole(sink, &counts);
    char *old = file_text(output_path("old.jsonl")), *fresh = file_text(output_path("a.jsonl"));
    cr_assert(eq(uint, lines_in(old) + lines_in(fresh), 1));
    cr_assert(eq(uint, lines_in(fresh), 1));
    free(old);
    free(fresh);
}

// More than the log holds comes in the last tick: at an end a live output is waited for.
Test(event_stream, a_clean_end_loses_nothing)
{
    struct export_counts counts;
    event_log_destroy(events);
    events = make_flow_log(500);
    struct export_options options = {.events = events, .live = true};
    struct sink *sink = stream_jsonl_create(output_path("a.jsonl"), &options, &error);
    event_log_begin_end(events);
    push_flows(20000);
    event_log_close(events);
    finish_whole(sink, &counts);
    cr_expect(eq(u64, counts.records, 20000));
    cr_expect(eq(u64, counts.dropped, 0));
}

Test(event_stream, complete_files_are_compressed)
{
    struct export_counts counts;
    struct export_options options = {
        .events = events, .rotate_bytes = 5000, .max_files = 3, .compress = true};
    struct sink *sink = stream_jsonl_create(output_path("a.jsonl"), &options, &error);
    push_flows(20); // two a file
    finish_whole(sink, &counts);
    cr_expect(eq(uint, files_in_directory(), 3));
    cr_expect(access(output_path("a.000010.jsonl"), F_OK) == 0);
    gzFile zipped = gzopen(output_path("a.000009.jsonl.gz"), "rb");
    char text[10000] = "";
    cr_expect(gzread(zipped, text, sizeof text - 1) > 1000);
    gzclose(zipped);
    cr_expect(eq(uint, lines_in(text), 2));
    cr_expect(strstr(text, "\"packets_a_to_b\":17,") != NULL);
}
