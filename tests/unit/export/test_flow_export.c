#include <signal.h>
#include <sys/resource.h>

#include "../aggregate/events.h"
#include "../api/sample_flow.h"
#include "output_events.h"

static void begin(void)
{
    begin_with(make_flow_log(65536));
}

TestSuite(flow_export, .init = begin, .fini = end);

// Flow i of many: end times and keys come in no order and repeat.
static void push_shuffled(unsigned count)
{
    struct flow_event sample;
    for (unsigned i = 0; i < count; i++) {
        if (i % 3 == 0)
            sample_flow_full(&sample);
        else
            sample_flow_empty(&sample);
        sample.record.record_seq = i;
        sample.record.end_ns = (int64_t)(i * 7919u % 101);
        sample.record.endpoint[1].port = (uint16_t)(i * 31u % 17);
        put_event(events, &sample);
    }
}

// The order that the file has to have, by record_seq.
struct expected {
    struct flow_record record;
    unsigned sequence;
};

static int compare_expected(const void *left, const void *right)
{
    const struct expected *a = left, *b = right;
    int order = flow_record_compare(&a->record, &b->record);
    return order != 0 ? order : (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

static struct expected *expected_order(unsigned count)
{
    struct expected *expected = calloc(count, sizeof *expected);
    for (unsigned i = 0; i < count; i++) {
        struct flow_event sample;
        if (i % 3 == 0)
            sample_flow_full(&sample);
        else
            sample_flow_empty(&sample);
        expected[i].record = sample.record;
        expected[i].record.end_ns = (int64_t)(i * 7919u % 101);
        expected[i].record.endpoint[1].port = (uint16_t)(i * 31u % 17);
        expected[i].sequence = i;
    }
    qsort(expected, count, sizeof *expected, compare_expected);
    return expected;
}

Test(flow_export, json_is_one_sorted_array)
{
    enum { COUNT = 3000 };
    struct export_counts counts;
    struct sink *sink =
        export_json_create(output_path("a.json"), &(struct export_options){.events = events}, &error);
    cr_assert(sink != NULL, "%s", error.text);
    push_shuffled(COUNT);
    cr_assert(finish(sink, &counts), "%s", error.text);
    cr_assert(eq(u64, counts.records, COUNT));
    cr_assert(eq(uint, files_in_directory(), 1)); // the spool has no name

    struct expected *expected = expected_order(COUNT);
    char *text = file_text(output_path("a.json"));
    char *at = text;
    cr_assert(strncmp(at, "[\n{", 3) == 0);
    for (unsigned i = 0; i < COUNT; i++) {
        char wanted[48];
        snprintf(wanted, sizeof wanted, "\"record_seq\":%u,", expected[i].sequence);
        at = strchr(at, '\n') + 1;
        char *found = strstr(at, wanted);
        cr_assert(found != NULL && found < strchr(at, '\n'), "flow %u", i);
    }
    cr_assert(strcmp(strchr(at, '\n'), "\n]\n") == 0);
    free(text);
    free(expected);
}

// Until the end, and again in one step: a program that reads the path at any time reads a whole document.
Test(flow_export, the_path_is_whole_at_any_time)
{
    struct export_counts counts;
    struct export_options options = {.events = events};
    struct stat before, after;
    char resolved[PATH_MAX];
    FILE *former = fopen(output_path("b.json"), "w");
    fchmod(fileno(former), 0600);
    fclose(former);
    cr_assert(eq(int, symlink("b.json", output_path("a.json")), 0));
    struct sink *sink = export_json_create(output_path("a.json"), &options, &error);
    push_shuffled(100);
    char *text = file_text(output_path("a.json"));
    cr_assert(eq(str, text, (char *)"[\n]\n"));
    free(text);
    stat(output_path("b.json"), &before);
    cr_assert(finish(sink, &counts), "%s", error.text);
    stat(output_path("b.json"), &after);
    text = file_text(output_path("b.json"));
    cr_assert(eq(uint, lines_in(text), 102));
    cr_assert(eq(u64, counts.bytes, strlen(text)));
    free(text);
    cr_assert(before.st_ino != after.st_ino);
    cr_assert(eq(uint, after.st_mode & 0777, 0600));
    cr_assert(readlink(output_path("a.json"), resolved, sizeof resolved) > 0); // still a link
    cr_assert(eq(uint, files_in_directory(), 2));
}

Test(flow_export, short_of_space_the_path_is_whole_too)
{
    struct export_counts counts;
    struct export_options options = {.events = events, .min_free_bytes = UINT64_MAX};
    struct sink *sink = export_json_create(output_path("a.json"), &options, &error);
    push_shuffled(100);
    for (int moment = 0; moment < 2; moment++) {
        char *text = file_text(output_path("a.json"));
        cr_assert(eq(str, text, (char *)"[\n]\n"));
        free(text);
        if (moment == 0)
            cr_assert(not(finish(sink, &counts)));
    }
    cr_assert(eq(u64, counts.lost, 100));
    cr_assert(eq(uint, files_in_directory(), 1));
}

// Nothing can be made beside it: the file itself is written.
Test(flow_export, a_directory_that_takes_nothing)
{
    struct export_counts counts;
    struct export_options options = {.events = events};
    struct sink *sink = export_csv_create(output_path("a.csv"), &options, &error);
    mkdir(output_path(".a.csv.partial"), 0700);
    push_shuffled(100);
    cr_assert(finish(sink, &counts), "%s", error.text);
    rmdir(output_path(".a.csv.partial"));
    char *text = file_text(output_path("a.csv"));
    cr_assert(eq(uint, lines_in(text), 101));
    free(text);
}

Test(flow_export, no_flows_is_an_empty_array)
{
    struct export_counts counts;
    struct sink *sink =
        export_json_create(output_path("a.json"), &(struct export_options){.events = events}, &error);
    cr_assert(finish(sink, &counts));
    char *text = file_text(output_path("a.json"));
    cr_assert(eq(str, text, "[\n]\n"));
    free(text);
}

Test(flow_export, interim_records_are_left_out)
{
    struct export_counts counts;
    struct flow_event sample;
    struct sink *sink =
        export_csv_create(output_path("a.csv"), &(struct export_options){.events = events}, &error);
    sample_flow_full(&sample);
    sample.record.final = false;
    put_event(events, &sample);
    sample.record.final = true;
    put_event(events, &sample);
    cr_assert(finish(sink, &counts));
    char *text = file_text(output_path("a.csv"));
    cr_assert(eq(uint, lines_in(text), 2));
    free(text);
}

Test(flow_export, unwritable_path_fails_at_the_start)
{
    struct export_options options = {.events = events};
    cr_assert(export_json_create(output_path("no/such.json"), &options, &error) == NULL);
    cr_assert(eq(int, (int)error.kind, ERROR_NOT_FOUND));
}

Test(flow_export, a_full_device_is_told_at_the_end)
{
    struct export_counts counts;
    struct sink *sink = export_csv_create("/dev/full", &(struct export_options){.events = events}, &error);
    cr_assert(sink != NULL);
    push_shuffled(20);
    cr_assert(not(finish(sink, &counts)));
    cr_assert(strstr(error.text, "No space left on device; 20 records were not written") != NULL, "%s",
              error.text);
}

// What the disk does not take is lost, but what is there is valid JSON, and the end says so.
Test(flow_export, full_disk_leaves_a_whole_array)
{
    struct export_counts counts;
    signal(SIGXFSZ, SIG_IGN);
    struct sink *sink =
        export_json_create(output_path("a.json"), &(struct export_options){.events = events}, &error);
    push_shuffled(400);
    struct rlimit limit = {.rlim_cur = 300 * 1024, .rlim_max = RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &limit);
    cr_assert(not(finish(sink, &counts)));
    cr_assert(strstr(error.text, "a.json is incomplete: File too large;") != NULL, "%s", error.text);
    cr_assert(eq(u64, counts.records + counts.lost, 400));
    cr_assert(counts.records > 0 && counts.lost > 0);
    char *text = file_text(output_path("a.json"));
    cr_assert(eq(u64, lines_in(text), counts.records + 2));
    cr_assert(strncmp(text, "[\n{", 3) == 0);
    cr_assert(strcmp(text + strlen(text) - 4, "}\n]\n") == 0);
    free(text);
}
