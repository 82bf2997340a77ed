#include "aggregate/alerting.h"

#include "capture/file/file_source.h"
#include "made_contacts.h"
#include "pipeline/shard.h"

enum { CAPACITY = 100, DOORS = 25 };

// Alerting of a run that reads a file; its evidence is made.
struct running {
    struct chunk_pool *pool;
    struct source *source;
    struct naming *naming;
    struct alerting *alerting;
    struct shard_report report;
    struct totals totals;
    struct anomaly_settings settings;
    unsigned made;
};

// Names the parties, as aggregate does, before the alert is out.
static void name_parties(void *owner, struct alert_event *event)
{
    struct running *running = owner;
    running->made++;
    strcpy(event->source_name[0].name, "scanner");
}

static struct alert_plan *plan_of(const struct running *running)
{
    struct error error;
    struct alert_plan *plan = alert_plan_create(&running->settings, running->settings.enabled, &error);
    cr_assert_not_null(plan, "%s", error.text);
    return plan;
}

static struct running *run(uint64_t capacity)
{
    struct running *running = calloc(1, sizeof *running);
    cr_assert_not_null(running);
    struct error error;
    char *paths[] = {(char[]){NETSCOPE_SOURCE_DIR "/tests/captures/browsing.pcap"}};
    struct string_list list = {.items = paths, .count = 1};
    running->pool = chunk_pool_create(16, CHUNK_BYTES);
    running->source = file_source_create(&list, "", running->pool, &error);
    cr_assert_not_null(running->source, "%s", error.text);
    running->settings = default_settings();
    struct alerting_setup setup = {
        .take_plan = plan_of(running),
        .node = "here",
        .source = running->source,
        .naming = &running->naming,
        .hash_seed = made_seed,
        .capacity = capacity,
        .made = name_parties,
        .owner = running,
    };
    running->alerting = alerting_create(&setup, &error);
    cr_assert_not_null(running->alerting, "%s", error.text);
    return running;
}

static void done(struct running *running)
{
    alerting_destroy(running->alerting);
    naming_destroy(running->naming);
    source_destroy(running->source);
    chunk_pool_destroy(running->pool);
    shard_report_done(&running->report);
    free(running);
}

static void tick_of(struct running *running, int64_t at_ns, bool last)
{
    struct tick_run one = {.report = &running->report}, *runs[] = {&one};
    struct pipeline_tick tick = {.now_ns = TEST_START_NS + at_ns + running->totals.clock_offset_ns,
                                 .totals = &running->totals,
                                 .runs = runs,
                                 .run_count = 1,
                                 .last = last};
    alerting_tick(running->alerting, &tick);
    evidence_reset(&running->report.evidence);
}

// A source tries ports [from, end) in a tick that ends then; how many alerts were made.
static unsigned try_ports(struct running *running, struct address source, unsigned from, unsigned end,
                          int64_t at_ns)
{
    unsigned before = running->made;
    for (unsigned port = from; port < end; port++) {
        struct knock knock = {source, host(1), (uint16_t)port, CONTACT_REFUSED, PROBE_SYN, at_ns};
        add_contact(&running->report.evidence, port % FLOW_PARTITIONS, &knock);
        struct contact_list *list = &running->report.evidence.contacts;
        list->items[list->count - 1].interface = 0;
        list->items[list->count - 1].began_ns += running->totals.clock_offset_ns;
    }
    tick_of(running, at_ns, false);
    return running->made - before;
}

// All that a reader gets now: their count; the last of them is copied.
static unsigned read_events(struct event_reader *reader, struct alert_event *last, uint64_t *missed)
{
    unsigned count = 0;
    for (struct event_run taken; event_reader_take(reader, 0, &taken) && taken.block != NULL;) {
        const struct alert_block *block = (const struct alert_block *)(const void *)taken.block;
        *missed += taken.missed;
        count += taken.end - taken.begin;
        *last = block->events[taken.end - 1];
    }
    return count;
}

static struct event_reader *read_from(struct running *running, uint64_t from)
{
    struct event_reader *reader = event_reader_create(alerting_log(running->alerting), EVENTS_DROP, from);
    cr_assert_not_null(reader);
    return reader;
}

Test(alerting, alerts_are_events)
{
    struct running *running = run(CAPACITY);
    struct event_reader *reader = read_from(running, EVENTS_FROM_OLDEST);
    struct alert_event event = {0};
    uint64_t missed = 0;
    cr_expect_eq(try_ports(running, outside(), 1, DOORS, 0), 0);
    cr_expect_eq(read_events(reader, &event, &missed), 0);
    cr_expect_eq(try_ports(running, outside(), DOORS, DOORS + 1, NS_PER_S), 1);
    cr_assert_eq(read_events(reader, &event, &missed), 1);
    cr_expect_eq(event.sequence, 1);
    cr_expect_str_eq(event.node, "here");
    cr_expect_str_eq(event.interface, source_interface(running->source, 0)->name);
    cr_expect_str_eq(event.source_name[0].name, "scanner");
    cr_expect(event.alert.kind == ALERT_PORT_SCAN && event.alert.observed == DOORS);
    cr_expect_eq(event.alert.ts_ns, TEST_START_NS + NS_PER_S);
    event_reader_destroy(reader);
    struct detect_status status;
    alerting_status(running->alerting, &status);
    cr_expect_eq(status.counts.told[ALERT_PORT_SCAN][ALERT_MEDIUM], 1);
    cr_expect(status.enabled[ALERT_PORT_SCAN] && !status.degraded[ALERT_PORT_SCAN]);
    done(running);
}

Test(alerting, history_is_kept_for_who_comes_later)
{
    enum { KEPT = 16, SCANNERS = 60 };
    struct running *running = run(KEPT);
    for (uint8_t i = 0; i < SCANNERS; i++)
        cr_expect_eq(try_ports(running, host(i + 10), 1, DOORS + 1, i * NS_PER_S), 1);
    struct alert_event event = {0};
    uint64_t missed = 0;
    struct event_reader *late = read_from(running, EVENTS_FROM_OLDEST),
                        *now = read_from(running, EVENTS_FROM_NOW), *first = read_from(running, 1);
    unsigned count = read_events(late, &event, &missed);
    cr_expect(count >= KEPT && count < KEPT + ALERT_BLOCK_EVENTS, "%u events", count);
    cr_expect_eq(event.sequence, SCANNERS);
    cr_expect_eq(event.alert.source[0].endpoint.address.bytes[3], SCANNERS + 9);
    cr_expect_eq(read_events(now, &event, &missed), 0);
    missed = 0;
    cr_expect_eq(read_events(first, &event, &missed) + missed, SCANNERS, "what it missed is told");
    event_reader_destroy(late);
    event_reader_destroy(now);
    event_reader_destroy(first);
    done(running);
}

// The plan changes while it runs: what was counted stays.
Test(alerting, a_threshold_is_lowered)
{
    struct running *running = run(CAPACITY);
    cr_expect_eq(try_ports(running, outside(), 1, 13, 0), 0);
    running->settings.port_scan.unique_threshold = 13;
    alerting_change(running->alerting, plan_of(running));
    running->settings.port_scan.unique_threshold = 12; // the later of two
    alerting_change(running->alerting, plan_of(running));
    cr_expect_eq(try_ports(running, outside(), 13, 14, NS_PER_S), 1);
    struct alert_event event = {0};
    uint64_t missed = 0;
    struct event_reader *reader = read_from(running, EVENTS_FROM_OLDEST);
    cr_expect_eq(read_events(reader, &event, &missed), 1);
    cr_expect(event.alert.observed == 13 && event.alert.threshold == 12);
    event_reader_destroy(reader);
    done(running);
}

Test(alerting, a_detector_is_switched_off_and_on)
{
    struct running *running = run(CAPACITY);
    struct detect_status status;
    cr_expect_eq(try_ports(running, outside(), 1, DOORS, 0), 0);
    running->settings.port_scan.common.enabled = false;
    alerting_change(running->alerting, plan_of(running));
    cr_expect_eq(try_ports(running, outside(), DOORS, 100, NS_PER_S), 0);
    alerting_status(running->alerting, &status);
    cr_expect(!status.enabled[ALERT_PORT_SCAN] && status.enabled[ALERT_HOST_SWEEP]);
    running->settings.port_scan.common.enabled = true;
    alerting_change(running->alerting, plan_of(running));
    cr_expect_eq(try_ports(running, outside(), 1, DOORS, 2 * NS_PER_S), 0, "it begins anew");
    cr_expect_eq(try_ports(running, outside(), DOORS, DOORS + 1, 3 * NS_PER_S), 1);
    running->settings.enabled = false;
    alerting_change(running->alerting, plan_of(running));
    cr_expect_eq(try_ports(running, host(9), 1, 100, 4 * NS_PER_S), 0);
    alerting_status(running->alerting, &status);
    for (unsigned kind = 0; kind < ALERT_KINDS; kind++)
        cr_expect_not(status.enabled[kind]);
    tick_of(running, 100 * NS_PER_S, false);
    cr_expect_eq(running->made, 2, "what was on ends");
    done(running);
}

// Entries of the allow list expire by the packets' stamps.
Test(alerting, an_entry_expires)
{
    struct running *running = run(CAPACITY);
    char *entries[] = {(char[]){"203.0.113.0/24 expires=2023-11-14T22:14:00Z"}}; // 40 s behind the start
    running->settings.allow = (struct string_list){.items = entries, .count = 1};
    running->totals.clock_offset_ns = 3600 * NS_PER_S;
    alerting_change(running->alerting, plan_of(running));
    cr_expect_eq(try_ports(running, outside(), 1, DOORS + 10, 39 * NS_PER_S), 0);
    struct detect_status status;
    alerting_status(running->alerting, &status);
    cr_expect_eq(status.counts.suppressed_allowed[ALERT_PORT_SCAN], 1);
    cr_expect_eq(try_ports(running, outside(), 100, 101, 41 * NS_PER_S), 1);
    done(running);
}

Test(alerting, knows_who_is_local)
{
    struct running *running = run(CAPACITY);
    struct error error;
    char *local[] = {(char[]){"203.0.113.0/24"}};
    struct names_settings names = {.file = (char[]){""}, .local = {.items = local, .count = 1}};
    running->naming = naming_load(&names, &error);
    cr_assert_not_null(running->naming, "%s", error.text);
    cr_expect_eq(try_ports(running, outside(), 1, DOORS + 1, 0), 1);
    struct detect_status status;
    alerting_status(running->alerting, &status);
    cr_expect_eq(status.counts.told[ALERT_PORT_SCAN][ALERT_HIGH], 1);
    done(running);
}

Test(alerting, ends_with_the_run)
{
    struct running *running = run(CAPACITY);
    struct event_reader *reader = read_from(running, EVENTS_FROM_OLDEST);
    cr_expect_eq(try_ports(running, outside(), 1, DOORS + 1, 0), 1);
    tick_of(running, NS_PER_S, true);
    alerting_close(running->alerting);
    struct alert_event event = {0};
    uint64_t missed = 0;
    cr_expect_eq(read_events(reader, &event, &missed), 2);
    cr_expect_eq(event.alert.lifecycle, ALERT_ENDED);
    struct event_run taken;
    cr_expect_not(event_reader_take(reader, 1000, &taken), "no more come");
    event_reader_destroy(reader);
    done(running);
}
