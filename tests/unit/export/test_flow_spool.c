#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <sys/resource.h>

#include "../api/sample_flow.h"
#include "export/flow_spool.h"
#include "output_directory.h"

enum { RUN_BYTES = 512 * 1024 };

static struct error error;
static struct flow_spool spool;

static void begin(void)
{
    make_output_directory();
    fclose(fopen(output_path("a.json"), "w"));
}

static void end(void)
{
    flow_spool_done(&spool);
    drop_output_directory();
}

TestSuite(flow_spool, .init = begin, .fini = end);

static void start(const char *path)
{
    cr_assert(flow_spool_init(&spool, path, RUN_BYTES, 0, &error), "%s", error.text);
}

// Line i of many of different lengths, whose end times come in no order and repeat: its number, then dots.
static size_t make_line(unsigned i, char *line, struct flow_record *record)
{
    struct flow_event sample;
    sample_flow_empty(&sample);
    *record = sample.record;
    record->end_ns = (int64_t)(i * 7919u % 1009);
    size_t length = (size_t)sprintf(line, "%u ", i);
    size_t dots = i * 31u % 700;
    memset(line + length, '.', dots);
    return length + dots;
}

static void add(unsigned count)
{
    char line[1024];
    struct flow_record record;
    for (unsigned i = 0; i < count; i++) {
        size_t length = make_line(i, line, &record);
        flow_spool_add(&spool, &record, line, length);
    }
}

// Every line that comes is whole, and after the one before it. Returns how many came.
static unsigned judge(void)
{
    unsigned count = 0, last_number = 0;
    int64_t last_ns = -1;
    size_t length;
    for (const char *line; (line = flow_spool_next(&spool, &length)) != NULL; count++) {
        char wanted[1024];
        struct flow_record record;
        unsigned number = (unsigned)strtoul(line, NULL, 10);
        cr_assert(eq(sz, length, make_line(number, wanted, &record)));
        cr_assert(eq(int, memcmp(line, wanted, length), 0), "line %u", number);
        cr_assert(record.end_ns > last_ns || (record.end_ns == last_ns && number > last_number),
                  "%u after %u", number, last_number);
        last_ns = record.end_ns;
        last_number = number;
    }
    return count;
}

Test(flow_spool, what_fits_needs_no_file)
{
    start("/no/such/directory/a.json");
    add(500);
    flow_spool_sort(&spool);
    cr_assert(eq(uint, judge(), 500));
    cr_assert(eq(int, spool.fd, -1));
    cr_assert(eq(u64, spool.lost, 0));
}

Test(flow_spool, nothing_is_nothing)
{
    start(output_path("a.json"));
    flow_spool_sort(&spool);
    cr_assert(eq(uint, judge(), 0));
}

Test(flow_spool, runs_are_merged_in_order)
{
    enum { COUNT = 40000 };
    start(output_path("a.json"));
    add(COUNT);
    cr_assert(gt(sz, spool.run_count, 30));
    flow_spool_sort(&spool);
    cr_assert(eq(uint, judge(), COUNT));
    cr_assert(eq(u64, spool.lost, 0));
    cr_assert(eq(uint, files_in_directory(), 1)); // the file of the runs has no name
}

// More runs than the memory has lines.
Test(flow_spool, long_lines_among_many_runs)
{
    static char line[200000];
    struct flow_record record;
    start(output_path("a.json"));
    make_line(0, line, &record);
    memset(line, 'x', sizeof line);
    for (unsigned i = 0; i < 60; i++) {
        record.end_ns = 60 - i;
        flow_spool_add(&spool, &record, line, sizeof line - i);
    }
    flow_spool_sort(&spool);
    size_t length;
    for (unsigned i = 0; i < 60; i++) {
        cr_assert(flow_spool_next(&spool, &length) != NULL);
        cr_assert(eq(sz, length, sizeof line - (59 - i)));
    }
    cr_assert(flow_spool_next(&spool, &length) == NULL);
}

// What the disk does not take is lost and counted; the rest comes in order.
Test(flow_spool, a_full_disk)
{
    enum { COUNT = 40000 };
    signal(SIGXFSZ, SIG_IGN);
    start(output_path("a.json"));
    struct rlimit limit = {.rlim_cur = 5 << 20, .rlim_max = RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &limit);
    add(COUNT);
    flow_spool_sort(&spool);
    unsigned count = judge();
    cr_assert(gt(u64, spool.size, (5 << 20) - 1024)); // all that fits
    cr_assert(eq(u64, count + spool.lost, COUNT));
    cr_assert(eq(str, spool.reason, (char *)"File too large"));
}

// A line that cannot be read again is counted as lost.
Test(flow_spool, a_file_that_is_cut)
{
    enum { COUNT = 40000 };
    start(output_path("a.json"));
    add(COUNT);
    flow_spool_sort(&spool);
    cr_assert(eq(int, ftruncate(spool.fd, (off_t)(spool.size / 2)), 0));
    unsigned count = judge();
    cr_assert(lt(uint, count, COUNT));
    cr_assert(eq(u64, count + spool.lost, COUNT));
}
