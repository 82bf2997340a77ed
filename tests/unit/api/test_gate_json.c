#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <stdio.h>

#include "wire_bytes.h"

#define LIST_FLOWS  &netscope__v1__list_flows_request__descriptor
#define WATCH_FLOWS &netscope__v1__watch_flows_request__descriptor

static void refused(const char *json, const char *field, const char *part)
{
    cr_expect_null(gate_open_json(LIST_FLOWS, json, strlen(json), &status), "%s", json);
    expect_violation(field, part);
}

static ProtobufCMessage *taken(const ProtobufCMessageDescriptor *descriptor, const char *json)
{
    ProtobufCMessage *message = gate_open_json(descriptor, json, strlen(json), &status);
    cr_assert_not_null(message, "%s: %s", json, status.message);
    return message;
}

Test(gate_json, names_are_taken_both_ways)
{
    static const char *const texts[] = {
        "{\"allow\": [{\"oneEnd\": {\"networks\": [\"10.0.0.1\"]}, \"tcpStates\": [\"TCP_STATE_RESET\", 6]}],"
        " \"pageSize\": 5, \"reverse\": true, \"order\": \"FLOW_ORDER_RTT\"}",
        "{\"allow\": [{\"one_end\": {\"networks\": [\"10.0.0.1\"]}, \"tcp_states\": [7, "
        "\"TCP_STATE_CLOSED\"]}],"
        " \"page_size\": \"5\", \"reverse\": true, \"order\": 7, \"page_token\": null, \"deny\": null}",
    };
    for (int i = 0; i < 2; i++) {
        ProtobufCMessage *message = taken(LIST_FLOWS, texts[i]);
        const Netscope__V1__ListFlowsRequest *request = (const Netscope__V1__ListFlowsRequest *)message;
        cr_expect_str_eq(request->allow[0]->one_end->networks[0], "10.0.0.1");
        cr_expect_eq(request->allow[0]->tcp_states[0], NETSCOPE__V1__TCP_STATE__TCP_STATE_RESET);
        cr_expect_eq(request->allow[0]->tcp_states[1], NETSCOPE__V1__TCP_STATE__TCP_STATE_CLOSED);
        cr_expect_eq(request->page_size, 5);
        cr_expect(request->reverse);
        cr_expect_eq(request->order, NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_RTT);
        cr_expect_str_eq(request->page_token, "");
        gate_free(message);
    }
}

Test(gate_json, numbers_of_64_bits_are_exact)
{
    ProtobufCMessage *message =
        taken(LIST_FLOWS,
              "{\"allow\": [{\"bytes\": {\"min\": \"9007199254740993\", \"max\": \"18446744073709551615\"},"
              " \"packets\": {\"min\": 9007199254740993, \"max\": 1e3}}]}");
    const Netscope__V1__FlowFilter *filter = ((const Netscope__V1__ListFlowsRequest *)message)->allow[0];
    cr_expect_eq(filter->bytes->min, UINT64_C(9007199254740993));
    cr_expect_eq(filter->bytes->max, UINT64_MAX);
    cr_expect_eq(filter->packets->min, UINT64_C(9007199254740993));
    cr_expect_eq(filter->packets->max, 1000);
    gate_free(message);
    refused("{\"allow\": [{\"bytes\": {\"min\": \"18446744073709551616\"}}]}", "allow[0].bytes.min",
            "64 bits");
    refused("{\"allow\": [{\"bytes\": {\"min\": -1}}]}", "allow[0].bytes.min", "no positive number");
    refused("{\"allow\": [{\"bytes\": {\"min\": \"-9223372036854775809\"}}]}", "allow[0].bytes.min",
            "64 bits");
    refused("{\"allow\": [{\"bytes\": {\"min\": 1e20}}]}", "allow[0].bytes.min", "in quotes");
    refused("{\"allow\": [{\"bytes\": {\"min\": 1.5}}]}", "allow[0].bytes.min", "no whole number");
    refused("{\"allow\": [{\"bytes\": {\"min\": \"\"}}]}", "allow[0].bytes.min", "it is a number");
    refused("{\"allow\": [{\"bytes\": {\"min\": true}}]}", "allow[0].bytes.min", "it is a number");
    refused("{\"pageSize\": 4294967296}", "page_size", "32 bits");
}

Test(gate_json, times_and_spans)
{
    ProtobufCMessage *message =
        taken(WATCH_FLOWS, "{\"options\": {\"start\": {\"since\": \"2026-05-01T12:00:00.5+02:00\"},"
                           " \"heartbeatInterval\": \"1.000000001s\", \"batch\": {\"max_delay\": \"-2s\"}}}");
    const Netscope__V1__StreamOptions *options = ((const Netscope__V1__WatchFlowsRequest *)message)->options;
    cr_expect_eq(options->start->since->seconds, 1777629600);
    cr_expect_eq(options->start->since->nanos, 500000000);
    cr_expect_eq(options->heartbeat_interval->seconds, 1);
    cr_expect_eq(options->heartbeat_interval->nanos, 1);
    cr_expect_eq(options->batch->max_delay->seconds, -2);
    gate_free(message);
    static const char *const wrong[] = {"1",       "\"1\"", "\"s\"", "\"1.0000000001s\"", "\"999999999999s\"",
                                        "\"1.s2\""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char json[128];
        snprintf(json, sizeof json, "{\"allow\": [{\"rtt\": {\"max\": %s}}]}", wrong[i]);
        refused(json, "allow[0].rtt.max", "a span as");
    }
    const char *dated = "{\"options\": {\"start\": {\"since\": \"2026-05-01\"}}}";
    cr_expect_null(gate_open_json(WATCH_FLOWS, dated, strlen(dated), &status));
    expect_violation("options.start.since", "a time as");
}

Test(gate_json, what_is_no_field_is_refused)
{
    refused("{\"allow\": [{\"tcp_flags\": [1]}]}", "allow[0]", "FlowFilter has no \"tcp_flags\"");
    refused("{\"Order\": 1}", "", "has no \"Order\"");
    refused("{\"order\": \"reset\"}", "order", "\"reset\" is no FlowOrder");
    refused("{\"order\": 99}", "order", "99 is no value");
    refused("{\"order\": []}", "order", "it is a number");
    refused("{\"reverse\": 1}", "reverse", "true or false");
    refused("{\"pageToken\": 1}", "page_token", "a text");
    refused("{\"pageToken\": \"\\u0000\"}", "", "no JSON");
    refused("{\"allow\": {}}", "", "\"allow\" is a list");
    refused("{\"allow\": [1]}", "allow[0]", "an object");
    refused("{\"allow\": [null]}", "allow[0]", "an object");
    refused("[]", "", "an object");
    refused("{\"order\": 1, \"order\": 1}", "", "duplicate");
    refused("{\"pageSize\": 1, \"page_size\": 1}", "page_size", "given twice");
    refused("{", "", "no JSON: line 1");
    refused("{} x", "", "no JSON");
    refused("", "", "no JSON");
    refused("{\"allow\": [{\"names\": [{\"exact\": \"a\", \"domain\": \"b\"}]}]}", "allow[0].names[0].domain",
            "stands for the same");
}

Test(gate_json, sizes_are_bounded)
{
    static char text[GATE_BYTES + 2];
    memset(text, ' ', sizeof text);
    cr_expect_null(gate_open_json(LIST_FLOWS, text, sizeof text, &status));
    cr_expect_eq(status.code, STATUS_RESOURCE_EXHAUSTED);
    memset(text, '[', GATE_BYTES);
    cr_expect_null(gate_open_json(LIST_FLOWS, text, GATE_BYTES, &status));
    expect_violation("", "no JSON");
}
