#include "watching.h"

Test(stream, backlog_then_live_then_resumed, .timeout = 60)
{
    struct calling calling;
    struct watching watching, resumed;
    uint32_t second = begin_with_alerts(&calling);
    watch(&watching, &calling, ALERTS("WatchAlerts"),
          "{\"options\": {\"follow\": true, \"start\": {\"since\": \"1970-01-01T00:00:00Z\"}}}");
    cr_expect_eq(watching.starts, 1);
    cr_expect_eq(watching.events, SCANS);
    cr_expect(watching.caught_up);
    cr_expect_eq(watching.caught_up_after, SCANS, "the backlog comes first");
    cr_expect_eq(watching.gaps, 0);
    cr_expect_eq(watching.last_sequence, SCANS);
    second = scan_again(&calling, second, 100, SCANS + 1);
    step(&watching, true);
    cr_expect_eq(watching.events, SCANS + 1, "at once: alerts wait for no batch");
    char json[256];
    snprintf(json, sizeof json, "{\"options\": {\"follow\": true, \"start\": {\"resume_after\": \"%s\"}}}",
             watching.cursor);
    end_watch(&watching);
    second = scan_again(&calling, second, 101, SCANS + 2);
    watch(&resumed, &calling, ALERTS("WatchAlerts"), json);
    cr_expect_eq(resumed.events, 1);
    cr_expect_eq(resumed.sequence[0], SCANS + 2, "no duplicate and no hole");
    cr_expect_eq(resumed.gaps, 0);
    end_watch(&resumed);
    end_calling(&calling);
}

Test(stream, starts_and_ends_as_it_is_told, .timeout = 60)
{
    static const struct {
        const char *json;
        uint64_t events, first;
        Netscope__V1__StreamEndReason end;
    } cases[] = {
        {"{}", SCANS, 1, NETSCOPE__V1__STREAM_END_REASON__STREAM_END_REASON_BACKLOG},
        {"{\"options\": {\"start\": {\"last\": 2}}}", 2, SCANS - 1,
         NETSCOPE__V1__STREAM_END_REASON__STREAM_END_REASON_BACKLOG},
        {"{\"options\": {\"start\": {\"last\": 100}}}", SCANS, 1,
         NETSCOPE__V1__STREAM_END_REASON__STREAM_END_REASON_BACKLOG},
        {"{\"options\": {\"limit\": 3}}", 3, 1, NETSCOPE__V1__STREAM_END_REASON__STREAM_END_REASON_LIMIT},
        {"{\"options\": {\"follow\": true, \"limit\": 2, \"start\": {\"last\": 2}}}", 2, SCANS - 1,
         NETSCOPE__V1__STREAM_END_REASON__STREAM_END_REASON_LIMIT},
        {"{\"options\": {\"until\": \"1970-01-01T00:00:01Z\"}}", 0, 0,
         NETSCOPE__V1__STREAM_END_REASON__STREAM_END_REASON_UNTIL},
        {"{\"options\": {\"start\": {\"since\": \"2030-01-01T00:00:00Z\"}}}", 0, 0,
         NETSCOPE__V1__STREAM_END_REASON__STREAM_END_REASON_BACKLOG},
        {"{\"allow\": [{\"kinds\": [\"syn_flood\"]}], \"options\": {\"start\": {\"last\": 5}}}", 0, 0,
         NETSCOPE__V1__STREAM_END_REASON__STREAM_END_REASON_BACKLOG},
    };
    struct calling calling;
    struct watching watching;
    begin_with_alerts(&calling);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        watch(&watching, &calling, ALERTS("WatchAlerts"), cases[i].json);
        cr_expect_eq(watching.state, STREAM_OVER, "%s", cases[i].json);
        cr_expect_eq(watching.ended, 1);
        cr_expect_eq(watching.status.code, STATUS_OK);
        cr_expect_eq(watching.events, cases[i].events, "%s: %lu", cases[i].json,
                     (unsigned long)watching.events);
        cr_expect(cases[i].events == 0 || watching.sequence[0] == cases[i].first, "%s", cases[i].json);
        cr_expect_eq(watching.end, cases[i].end, "%s: %d", cases[i].json, watching.end);
        end_watch(&watching);
    }
    watch(&watching, &calling, ALERTS("WatchAlerts"), "{\"options\": {\"follow\": true}}");
    cr_expect_eq(watching.events, 0, "from now on");
    cr_expect_eq(watching.state, STREAM_WAITS);
    struct error error;
    end_input(&calling.running); // all alerts end
    cr_assert(control_finish(calling.running.control, &error), "%s", error.text);
    step(&watching, true);
    cr_expect_eq(watching.end, NETSCOPE__V1__STREAM_END_REASON__STREAM_END_REASON_RUN_OVER);
    cr_expect_geq(watching.events, SCANS);
    end_watch(&watching);
    api_destroy(calling.api);
    control_destroy(calling.running.control);
    outcome_done(&calling.running.outcome);
    unlink(calling.running.fifo);
}

Test(stream, heartbeats_pass_what_the_filter_keeps_back, .timeout = 60)
{
    struct calling calling;
    struct watching watching;
    begin_with_alerts(&calling);
    watch(&watching, &calling, ALERTS("WatchAlerts"),
          "{\"allow\": [{\"kinds\": [\"syn_flood\"]}], \"options\": {\"follow\": true, "
          "\"heartbeatInterval\": \"2s\","
          " \"start\": {\"since\": \"1970-01-01T00:00:00Z\"}}}");
    cr_expect_eq(watching.beats, 1);
    cr_expect_eq(watching.events, 0);
    watching.now_ns += NS_PER_S;
    step(&watching, true);
    cr_expect_eq(watching.beats, 1);
    cr_expect_leq(stream_due_ns(watching.stream), watching.now_ns + NS_PER_S, "the next heartbeat");
    watching.now_ns += NS_PER_S;
    step(&watching, true);
    cr_expect_eq(watching.beats, 2);
    watching.now_ns += 5 * NS_PER_S;
    step(&watching, false);
    cr_expect_gt(stream_due_ns(watching.stream), watching.now_ns, "while nobody reads no heartbeat is due");
    char json[256];
    snprintf(json, sizeof json, "{\"options\": {\"start\": {\"resume_after\": \"%s\"}}}", watching.cursor);
    end_watch(&watching);
    watch(&watching, &calling, ALERTS("WatchAlerts"), json);
    cr_expect_eq(watching.events, 0, "the cursor is behind them, whatever the filter is now");
    end_watch(&watching);
    end_calling(&calling);
}

Test(stream, what_is_wrong_has_its_field, .timeout = 60)
{
    static const struct {
        const char *options, *field, *part;
    } cases[] = {
        {"\"start\": {\"resume_after\": \"x\"}", "options.start.resume_after", "no cursor"},
        {"\"start\": {\"last\": 0}", "options.start.last", "give 1 to"},
        {"\"start\": {\"last\": 65537}", "options.start.last", "give 1 to"},
        {"\"follow\": true, \"until\": \"2026-01-01T00:00:00Z\"", "options.until", "leave one of them out"},
        {"\"heartbeat_interval\": \"0.5s\"", "options.heartbeat_interval", "a span of 1 to 60"},
        {"\"heartbeat_interval\": \"61s\"", "options.heartbeat_interval", "a span of 1 to 60"},
        {"\"batch\": {\"max_events\": 513}", "options.batch.max_events", "give 1 to 512"},
        {"\"batch\": {\"max_events\": 0}", "options.batch.max_events", "give 1 to 512"},
        {"\"batch\": {\"max_bytes\": 1}", "options.batch.max_bytes", "give 1024"},
        {"\"batch\": {\"max_delay\": \"2s\"}", "options.batch.max_delay", "a span of 0 to 1"},
        {"\"max_queue_bytes\": 1", "options.max_queue_bytes", "give 4096"},
        {"\"on_slow\": 9", "options.on_slow", "9 is no value"},
    };
    struct calling calling;
    begin_calling(&calling, NULL);
    start_run(&calling.running);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[256];
        snprintf(json, sizeof json, "{\"options\": {%s}}", cases[i].options);
        watch_refused(&calling, ALERTS("WatchAlerts"), json, cases[i].field, cases[i].part);
        watch_refused(&calling, FLOWS("WatchFlows"), json, cases[i].field, cases[i].part);
    }
    watch_refused(&calling, FLOWS("WatchFlows"), "{\"kinds\": [0]}", "kinds", "BEGAN");
    watch_refused(&calling, FLOWS("WatchFlows"), "{\"deny\": [{}]}", "deny[0]", "denies every");
    end_calling(&calling);
}

enum { FLOWS_SENT = 250 };

static bool has_ended(const struct snapshot *snapshot, uint64_t want)
{
    return snapshot->totals.flows_ended[END_TIMEOUT] >= want;
}

// All flows end.
static uint32_t end_flows(struct calling *calling, uint32_t second, uint64_t ended)
{
    for (unsigned port = 0; port < FLOWS_SENT; port++)
        send_flow(calling, second, (uint8_t)port);
    return go_on_until(calling, second + 100, has_ended, ended);
}

Test(stream, slow_readers_learn_exactly_what_they_missed, .timeout = 60)
{
    static const char *const policies[] = {"ON_SLOW_DROP_OLDEST", "ON_SLOW_DROP_NEWEST",
                                           "ON_SLOW_DISCONNECT"};
    struct calling calling;
    struct watching slow[3], all;
    char json[256];
    begin_calling(&calling, "flow: {udp_timeout_secs: 5}\nevents: {capacity: 256}\n");
    start_run(&calling.running);
    for (int i = 0; i < 3; i++) {
        snprintf(json, sizeof json,
                 "{\"allow\": [{\"protocols\": [\"udp\"]}], \"options\": {\"follow\": true, "
                 "\"max_queue_bytes\": 8192,"
                 " \"on_slow\": \"%s\"}}",
                 policies[i]);
        watch(&slow[i], &calling, FLOWS("WatchFlows"), json);
    }
    watch(&all, &calling, FLOWS("WatchFlows"),
          "{\"options\": {\"follow\": true}, \"kinds\": [\"FLOW_EVENT_KIND_ENDED\"]}");
    uint32_t second = end_flows(&calling, 1000, FLOWS_SENT);
    for (int i = 0; i < 3; i++)
        step(&slow[i], false); // nobody reads
    for (int i = 0; i < 10; i++, all.now_ns += 100 * NS_PER_MS)
        step(&all, true);
    cr_expect_eq(all.events, FLOWS_SENT);
    cr_expect_eq(all.gaps, 0);
    cr_expect_eq(slow[2].state, STREAM_OVER);
    cr_expect_eq(slow[2].status.code, STATUS_RESOURCE_EXHAUSTED);
    cr_expect_str_eq(slow[2].status.reason, "SLOW_READER");
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 10; j++, slow[i].now_ns += 100 * NS_PER_MS)
            step(&slow[i], true);
        cr_expect_lt(slow[i].events, FLOWS_SENT);
        cr_expect(slow[i].count_known);
        cr_expect_eq(slow[i].reason, NETSCOPE__V1__GAP_REASON__GAP_REASON_SLOW_READER);
        cr_expect_eq(slow[i].events + slow[i].missing, FLOWS_SENT, "%lu and %lu",
                     (unsigned long)slow[i].events, (unsigned long)slow[i].missing);
    }
    cr_expect_gt(slow[0].sequence[0], 1, "the oldest are gone");
    cr_expect_eq(slow[1].sequence[0], 1, "the newest are gone");
    (void)second;
    for (int i = 0; i < 3; i++)
        end_watch(&slow[i]);
    end_watch(&all);
    end_calling(&calling);
}

Test(stream, a_log_that_laps_a_stream_is_a_gap_of_unknown_count, .timeout = 60)
{
    struct calling calling;
    struct watching watching, keeper;
    begin_calling(&calling, "flow: {udp_timeout_secs: 5}\nevents: {capacity: 100}\n");
    start_run(&calling.running);
    watch(&watching, &calling, FLOWS("WatchFlows"), "{\"options\": {\"follow\": true}}");
    watch(&keeper, &calling, FLOWS("WatchFlows"), "{\"options\": {\"follow\": true}}");
    end_flows(&calling, 1000, FLOWS_SENT); // and nobody steps meanwhile
    for (int i = 0; i < 10; i++, watching.now_ns += 100 * NS_PER_MS)
        step(&watching, true);
    cr_expect_eq(watching.gaps, 1);
    cr_expect_eq(watching.reason, NETSCOPE__V1__GAP_REASON__GAP_REASON_LAPPED);
    cr_expect_not(watching.count_known);
    cr_expect_eq(watching.events + watching.at_most, FLOWS_SENT);
    char json[256];
    snprintf(json, sizeof json, "{\"options\": {\"follow\": true, \"start\": {\"resume_after\": \"%s\"}}}",
             watching.cursor);
    end_watch(&watching);
    end_watch(&keeper);
    end_flows(&calling, 2000, 2 * FLOWS_SENT); // and nobody watches at all
    watch(&watching, &calling, FLOWS("WatchFlows"), json);
    cr_expect_eq(watching.gaps, 1);
    cr_expect_eq(watching.reason, NETSCOPE__V1__GAP_REASON__GAP_REASON_AWAY, "%d", watching.reason);
    cr_expect_eq(watching.events + watching.at_most, FLOWS_SENT);
    end_watch(&watching);
    end_calling(&calling);
}

Test(stream, batches_are_bounded_and_wait_a_moment, .timeout = 60)
{
    struct calling calling;
    struct watching watching;
    begin_calling(&calling, "flow: {udp_timeout_secs: 5}\n");
    start_run(&calling.running);
    watch(
        &watching, &calling, FLOWS("WatchFlows"),
        "{\"view\": \"FLOW_VIEW_BASIC\", \"options\": {\"follow\": true, \"batch\": {\"max_events\": 100}}}");
    unsigned before = watching.messages;
    end_flows(&calling, 1000, FLOWS_SENT);
    step(&watching, true);
    cr_expect_eq(watching.events, 200, "the rest may become more: %lu", (unsigned long)watching.events);
    cr_expect_eq(watching.messages, before + 2);
    watching.now_ns += 49 * NS_PER_MS;
    step(&watching, true);
    cr_expect_eq(watching.events, 200);
    watching.now_ns += 1 * NS_PER_MS;
    step(&watching, true);
    cr_expect_eq(watching.events, FLOWS_SENT);
    for (uint64_t i = 0; i < watching.events; i++)
        cr_expect_eq(watching.sequence[i], i + 1);
    end_watch(&watching);
    end_calling(&calling);
}
