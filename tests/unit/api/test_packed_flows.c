#include <criterion/criterion.h>
#include <string.h>

#include "api/limits.h"
#include "api/packed_flows.h"
#include "watching.h"

Test(packed_flows, keeps_the_latest_of_each_view)
{
    uint8_t bytes[PACKED_FLOW_BYTES + 1];
    size_t length = 0;
    struct packed_flows *packed = packed_flows_create();
    memset(bytes, 'f', sizeof bytes);
    cr_expect_null(packed_flows_find(packed, 7, false, &length), "nothing is there yet");
    packed_flows_keep(packed, 7, false, bytes, 20);
    cr_expect_null(packed_flows_find(packed, 7, true, &length), "the other view");
    const uint8_t *found = packed_flows_find(packed, 7, false, &length);
    cr_assert_not_null(found);
    cr_expect_eq(length, 20);
    cr_expect_arr_eq(found, bytes, 20);
    packed_flows_keep(packed, 7 + PACKED_FLOWS, false, bytes, PACKED_FLOW_BYTES + 1);
    cr_expect_not_null(packed_flows_find(packed, 7, false, &length), "too long to be kept");
    packed_flows_keep(packed, 7 + PACKED_FLOWS, false, bytes, PACKED_FLOW_BYTES);
    cr_expect_null(packed_flows_find(packed, 7, false, &length), "its place is another's");
    cr_expect_not_null(packed_flows_find(packed, 7 + PACKED_FLOWS, false, &length));
    packed_flows_destroy(packed);
}

static bool has_ended(const struct snapshot *snapshot, uint64_t want)
{
    return snapshot->totals.flows_ended[END_TIMEOUT] >= want;
}

// Two that see all of a flow, one its basic view, and one who may see no sequences: what one was told, another is not.
Test(packed_flows, streams_side_by_side_are_told_what_is_theirs, .timeout = 60)
{
    enum { FLOWS_SENT = 40, STREAMS = 4 };
    static const char *const views[STREAMS] = {"FULL", "FULL", "BASIC", "FULL"};
    struct calling calling;
    struct watching all[STREAMS];
    struct limits *limits;
    struct error error;
    begin_calling(&calling, "flow: {udp_timeout_secs: 5}\n");
    start_run(&calling.running);
    cr_assert(limits_parse((char *[]){"network=10.0.0.0/8"}, 1, &limits, &error));
    for (unsigned i = 0; i < STREAMS; i++) {
        char json[128];
        snprintf(json, sizeof json, "{\"options\": {\"follow\": true}, \"view\": \"FLOW_VIEW_%s\"}",
                 views[i]);
        calling.caller.limits = i == 3 ? limits : NULL;
        watch(&all[i], &calling, FLOWS("WatchFlows"), json);
    }
    for (uint8_t port = 0; port < FLOWS_SENT; port++)
        send_flow(&calling, 1000, port);
    go_on_until(&calling, 1100, has_ended, FLOWS_SENT);
    for (unsigned i = 0; i < STREAMS; i++) {
        uint64_t before = all[i].bytes;
        step(&all[i], true);
        all[i].now_ns += NS_PER_S;
        step(&all[i], true);
        all[i].bytes -= before;
        cr_expect_eq(all[i].events, FLOWS_SENT);
        cr_expect_eq(all[i].sequence[FLOWS_SENT - 1], i == 3 ? 0 : FLOWS_SENT);
    }
    cr_expect_eq(all[1].bytes, all[0].bytes);
    cr_expect_lt(all[2].bytes, all[0].bytes);
    for (unsigned i = 0; i < STREAMS; i++)
        end_watch(&all[i]);
    limits_release(limits);
    end_calling(&calling);
}
