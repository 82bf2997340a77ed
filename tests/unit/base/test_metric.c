#include "base/metric.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/metric_text.h"

struct figures {
    uint64_t packets;
    const char *interface;
    bool held;
};

static void read_packets(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct figures *figures = held;
    metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){figures->interface}, figures->packets);
    metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){"lo"}, 1);
}

static void read_seconds(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    (void)held;
    metric_real(metric, reader, 1.5);
}

static void read_ticks(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    (void)held;
    struct metric_sample sample = {.buckets = 3, .bound = {0.001, 0.01}, .count = {1, 3, 4}, .sum = 0.25};
    reader->sample(reader, metric, &sample);
}

static const struct metric rows[] = {
    {"test_packets_total",
     METRIC_COUNTER,
     NULL,
     "Packets \"in\"\nall, by C:\\name.",
     {"interface"},
     read_packets},
    {"test_uptime_seconds", METRIC_GAUGE, "seconds", "Time.", {0}, read_seconds},
    {"test_tick_seconds", METRIC_HISTOGRAM, "seconds", "Ticks.", {0}, read_ticks},
};

static const void *hold(void *owner)
{
    struct figures *figures = owner;
    cr_assert_not(figures->held);
    figures->held = true;
    return figures->packets != 0 ? figures : NULL;
}

static void release(void *owner, const void *held)
{
    cr_assert_eq(owner, held);
    ((struct figures *)owner)->held = false;
}

static void expect(struct metric_registry *registry, const char *text)
{
    struct strbuf into;
    strbuf_init(&into, 1 << 16);
    metric_text_add(&into, registry, METRIC_PROMETHEUS);
    cr_expect_str_eq(into.text, text);
    strbuf_done(&into);
}

Test(metric, text_is_escaped_and_whole)
{
    struct metric_registry registry;
    struct figures figures = {.packets = (UINT64_C(1) << 53) + 1, .interface = "a\"b\nc\xff"};
    metric_registry_init(&registry);
    cr_assert(metric_registry_add(&registry, &(struct metric_group){rows, 3, &figures, hold, release}));
    expect(&registry, "# HELP test_packets_total Packets \"in\"\\nall, by C:\\\\name.\n"
                      "# TYPE test_packets_total counter\n"
                      "test_packets_total{interface=\"a\\\"b\\\\x0ac\\\\xff\"} 9007199254740993\n"
                      "test_packets_total{interface=\"lo\"} 1\n"
                      "# HELP test_uptime_seconds Time.\n"
                      "# TYPE test_uptime_seconds gauge\n"
                      "test_uptime_seconds 1.5\n"
                      "# HELP test_tick_seconds Ticks.\n"
                      "# TYPE test_tick_seconds histogram\n"
                      "test_tick_seconds_bucket{le=\"0.001\"} 1\n"
                      "test_tick_seconds_bucket{le=\"0.01\"} 3\n"
                      "test_tick_seconds_bucket{le=\"+Inf\"} 4\n"
                      "test_tick_seconds_sum 0.25\n"
                      "test_tick_seconds_count 4\n");
    cr_expect_not(figures.held, "released after the walk");
    metric_registry_remove(&registry, &figures);
    expect(&registry, "");
    metric_registry_done(&registry);
}

Test(metric, a_group_that_has_nothing_is_passed_over)
{
    struct metric_registry registry;
    struct figures figures = {.packets = 0};
    metric_registry_init(&registry);
    metric_registry_add(&registry, &(struct metric_group){rows, 3, &figures, hold, release});
    expect(&registry, "");
    metric_registry_done(&registry);
}

Test(metric, groups_are_bounded)
{
    struct metric_registry registry;
    struct figures figures[METRIC_GROUPS + 1];
    struct metric own[METRIC_GROUPS + 1];
    char names[METRIC_GROUPS + 1][24];
    metric_registry_init(&registry);
    for (int i = 0; i <= METRIC_GROUPS; i++) {
        snprintf(names[i], sizeof names[i], "test_%d", i);
        own[i] = (struct metric){names[i], METRIC_GAUGE, NULL, "One.", {0}, read_seconds};
        cr_expect_eq(
            metric_registry_add(&registry, &(struct metric_group){&own[i], 1, &figures[i], hold, release}),
            i < METRIC_GROUPS);
    }
    metric_registry_done(&registry);
}

Test(metric, a_family_sums_up)
{
    struct figures figures = {.packets = 41, .interface = "eth0"};
    cr_expect_eq(metric_sum(rows, 3, &figures, "test_packets_total"), 42);
}

Test(metric, openmetrics_names_counters_without_their_end)
{
    struct metric_registry registry;
    struct figures figures = {.packets = 5, .interface = "lo"};
    struct strbuf into;
    metric_registry_init(&registry);
    cr_assert(metric_registry_add(&registry, &(struct metric_group){rows, 2, &figures, hold, release}));
    strbuf_init(&into, 1 << 16);
    metric_text_add(&into, &registry, METRIC_OPENMETRICS);
    cr_expect(strstr(into.text, "# HELP test_packets Packets \\\"in\\\"\\nall") != NULL, "%s", into.text);
    cr_expect(strstr(into.text, "# TYPE test_packets counter\n") != NULL);
    cr_expect(strstr(into.text, "\ntest_packets_total{interface=\"lo\"} 5\n") != NULL);
    cr_expect(strstr(into.text, "# UNIT test_uptime_seconds seconds\n") != NULL);
    cr_expect(strcmp(into.text + into.length - 6, "# EOF\n") == 0);
    strbuf_done(&into);
    metric_registry_done(&registry);
}
