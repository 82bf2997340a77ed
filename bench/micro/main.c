// micro: what the parts of the hot path cost. See --help.
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micro/rows.h"
#include "micro/series.h"

enum { REPETITIONS = 9, QUICK_REPETITIONS = 3, FRAMES = 1 << 18, SYNTHETIC_STEPS = 12 };

struct row {
    const char *name, *what;
    void (*measure)(const struct micro_options *options);
};

static const struct row rows[] = {
    {"decode", "decode_packet over the frames", measure_decode},
    {"hash", "flow_key_hash", measure_hash},
    {"hit", "a packet of a known flow, with 34,000 and 3.4 million flows in the table", measure_hit},
    {"insert", "a packet that makes a flow, from an empty table to a million", measure_insert},
    {"growth", "the longest batch while the table grows to 10 million flows", measure_growth},
    {"question", "the flows with the most bytes of a million, in slices between batches", measure_question},
    {"ring", "a record through record_ring, from one thread to another", measure_ring},
    {"shard", "shard_batch and shard_tick over the frames, names and top flows included", measure_shard},
    {"observe", "what detection looks at of a packet, by what it is", measure_observe},
    {"hello", "what a ClientHello costs the shard, by its shape", measure_hello},
    {"export", "a flow rendered as a JSON line", measure_export},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

void micro_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("micro: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void micro_expect(const char *what, uint64_t found, uint64_t expected)
{
    if (found != expected)
        micro_fail("%s: %" PRIu64 " instead of %" PRIu64, what, found, expected);
}

static void print_usage(void)
{
    printf("Usage: micro [--quick] [--only NAME] [--repetitions N] [--growth FLOWS] [FILE]\n"
           "Times the parts of the hot path; medians, nothing else should run.\n"
           "FILE is an Ethernet capture for decode, hash and shard (its first %d packets); without it they\n"
           "take synthetic TCP.\n\n"
           "  --quick            small numbers: a trial\n"
           "  --only NAME        one of the rows below\n"
           "  --repetitions N    default %d\n"
           "  --growth FLOWS     of the row growth (default 10000000)\n\n",
           FRAMES, REPETITIONS);
    for (unsigned i = 0; i < ROWS; i++)
        printf("  %-8s %s\n", rows[i].name, rows[i].what);
}

static const struct micro_options whole = {
    .repetitions = REPETITIONS,
    .few_flows = 34000,
    .many_flows = 3400000,
    .new_flows = 1000000,
    .growth_flows = 10000000,
    .records = 2000000,
    .rendered_flows = 20000,
};

static const struct micro_options quick = {
    .repetitions = QUICK_REPETITIONS,
    .few_flows = 3400,
    .many_flows = 34000,
    .new_flows = 20000,
    .growth_flows = 100000,
    .records = 50000,
    .rendered_flows = 1000,
};

static uint64_t number(const char *text, uint64_t most)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || value == 0 || value > most)
        micro_fail("%s: must be a number from 1 to %" PRIu64, text, most);
    return value;
}

static const struct row *row_named(const char *name)
{
    for (unsigned i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    micro_fail("no row is called %s; see --help", name);
}

static const struct row *read_options(int count, char **words, struct micro_options *options)
{
    static const struct option known[] = {
        {"quick", no_argument, NULL, 'q'},        {"only", required_argument, NULL, 'o'},
        {"growth", required_argument, NULL, 'g'}, {"repetitions", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    const struct row *only = NULL;
    uint64_t repetitions = 0, growth_flows = 0;
    *options = whole;
    for (int option; (option = getopt_long(count, words, "h", known, NULL)) != -1;) {
        if (option == 'h') {
            print_usage();
            exit(0);
        } else if (option == 'q') {
            *options = quick;
        } else if (option == 'o') {
            only = row_named(optarg);
        } else if (option == 'g') {
            growth_flows = number(optarg, 100000000);
        } else if (option == 'r') {
            repetitions = number(optarg, SERIES_MAXIMUM / 4);
        } else {
            exit(2);
        }
    }
    options->repetitions = repetitions != 0 ? (unsigned)repetitions : options->repetitions;
    options->growth_flows = growth_flows != 0 ? growth_flows : options->growth_flows;
    return only;
}

int main(int count, char **words)
{
    struct micro_options options;
    struct frame_set frames;
    const struct row *only = read_options(count, words, &options);
    if (optind < count)
        frame_set_load(&frames, words[optind], FRAMES);
    else
        frame_set_make(&frames, options.few_flows / SYNTHETIC_STEPS, SYNTHETIC_STEPS);
    options.frames = &frames;
    for (unsigned i = 0; i < ROWS; i++)
        if (only == NULL || only == &rows[i])
            rows[i].measure(&options);
    frame_set_done(&frames);
    return 0;
}
