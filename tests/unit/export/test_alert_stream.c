#include "../api/sample_alert.h"
#include "output_events.h"

static void begin(void)
{
    begin_with(alert_log_create(4096));
}

TestSuite(alert_stream, .init = begin, .fini = end);

Test(alert_stream, every_alert_is_a_line)
{
    struct export_counts counts;
    struct sink *sink =
        stream_alerts_create(output_path("a.jsonl"), &(struct export_options){.events = events}, &error);
    cr_assert(sink != NULL, "%s", error.text);
    alert_log_raise(events, 50);
    finish_whole(sink, &counts);
    cr_expect(eq(u64, counts.records, 50));
    char *text = file_text(output_path("a.jsonl"));
    cr_assert(eq(uint, lines_in(text), 50));
    static const char start[] = "{\"id\":\"0123456789abcdef0123456789abcdef\",\"kind\":\"host_sweep\",";
    cr_expect(strncmp(text, start, sizeof start - 1) == 0, "%s", text);
    char *first = strstr(text, "\"revision\":1,"), *last = strstr(text, "\"revision\":50,");
    cr_expect(first != NULL && last != NULL && first < last);
    free(text);
}

Test(alert_stream, rotates_and_follows_a_moved_file)
{
    struct export_counts counts;
    struct export_options options = {.events = events, .rotate_bytes = 4000, .max_files = 3};
    struct sink *sink = stream_alerts_create(output_path("a.jsonl"), &options, &error);
    alert_log_raise(events, 20); // two a file
    finish_whole(sink, &counts);
    cr_expect(eq(uint, files_in_directory(), 3));
    cr_expect(access(output_path("a.000010.jsonl"), F_OK) == 0);

    sink = stream_alerts_create(output_path("b.jsonl"), &(struct export_options){.events = events}, &error);
    rename(output_path("b.jsonl"), output_path("old.jsonl"));
    export_reopen(sink);
    alert_log_raise(events, 1);
    finish_whole(sink, &counts);
    char *fresh = file_text(output_path("b.jsonl"));
    cr_expect(eq(uint, lines_in(fresh), 1));
    free(fresh);
}
