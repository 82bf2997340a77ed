#include "calling.h"

typedef Netscope__V1__FilterHintsResponse Hints;

static struct answer answer;
static const char names_path[] = "/tmp/netscope-test-hints.csv";

// A question for www.example.com, whose checksums nobody minds.
static const uint8_t dns_frame[75] = {
    2,    0,   0,   0,   0, 2,   2,   0,   0,   0,   0,   1,   8,  0,                            // Ethernet
    0x45, 0,   0,   61,  0, 0,   0,   0,   64,  17,  0,   0,   10, 0,   0,   1,   192, 0, 2, 53, // IPv4
    4,    0,   0,   53,  0, 41,  0,   0,                                                         // UDP
    0,    1,   1,   0,   0, 1,   0,   0,   0,   0,   0,   0,                                     // DNS
    3,    'w', 'w', 'w', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 3,  'c', 'o', 'm', 0,   0, 1, 0,  1,
};

static void send_dns(struct calling *calling, uint32_t second)
{
    uint8_t record[16 + sizeof dns_frame];
    uint32_t head[4] = {second, 0, sizeof dns_frame, sizeof dns_frame};
    memcpy(record, head, sizeof head);
    memcpy(record + sizeof head, dns_frame, sizeof dns_frame);
    cr_assert_eq(write(calling->running.pipe, record, sizeof record), (ssize_t)sizeof record);
}

// Ten flows of UDP to port 8080 and two frames each, six of TCP to ports 1 to 6 and one frame, and a DNS question.
static void begin_with_traffic(struct calling *calling)
{
    char yaml[256];
    FILE *file = fopen(names_path, "w");
    cr_assert_not_null(file);
    fputs("10.0.0.1,web-1,shop\n192.0.2.0/24,outside,docs\n", file);
    fclose(file);
    snprintf(yaml, sizeof yaml, "sensor: {node_name: here}\nnames: {file: %s}\n", names_path);
    begin_calling(calling, yaml);
    start_run(&calling->running);
    for (uint8_t port = 1; port <= 10; port++)
        for (unsigned packets = 0; packets < 2; packets++)
            send_flow(calling, 1000, port);
    for (uint8_t port = 1; port <= 6; port++) {
        uint8_t frame[60];
        memcpy(frame, syn_frame, sizeof frame);
        frame[FRAME_TARGET_PORT] = port;
        send_frame(calling, 1000, frame);
    }
    send_dns(calling, 1000);
    go_on_until(calling, 1001, has_flows, 17);
}

// The values as "tcp=360 udp=1200".
static void expect_hints(struct calling *calling, const char *json, const char *want, bool truncated)
{
    char text[512] = "";
    const Hints *hints = CALL(calling, Hints, FLOWS("FilterHints"), json, &answer);
    for (size_t i = 0; i < hints->n_values; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s=%lu", i > 0 ? " " : "",
                 hints->values[i]->value, (unsigned long)hints->values[i]->weight);
    cr_expect_str_eq(text, want, "%s: %s", json, text);
    cr_expect_eq(hints->truncated, truncated, "%s", json);
    cr_expect_eq(hints->looked_at, hints->matched);
    answer_done(&answer);
}

Test(filter_hints, values_by_their_traffic, .timeout = 60)
{
    struct calling calling;
    begin_with_traffic(&calling);
    expect_hints(&calling, "{\"field\": \"HINT_FIELD_PROTOCOL\"}", "udp=1275 tcp=360", false);
    expect_hints(&calling, "{\"field\": \"HINT_FIELD_PROTOCOL\", \"prefix\": \"T\"}", "tcp=360", false);
    expect_hints(&calling, "{\"field\": \"HINT_FIELD_APP\"}", "dns=75", false);
    expect_hints(&calling, "{\"field\": \"HINT_FIELD_NAME\"}", "outside=1635 web-1=1275 www.example.com=75",
                 false);
    expect_hints(&calling, "{\"field\": \"HINT_FIELD_NAME\", \"prefix\": \"WWW.\"}", "www.example.com=75",
                 false);
    expect_hints(&calling, "{\"field\": \"HINT_FIELD_NAMESPACE\"}", "docs=1635 shop=1275", false);
    expect_hints(&calling, "{\"field\": \"HINT_FIELD_SERVER_PORT\", \"limit\": 3}", "8080=1200 53=75 1=60",
                 true);
    expect_hints(&calling, "{\"field\": \"HINT_FIELD_SERVER_PORT\", \"prefix\": \"5\"}", "53=75 5=60", false);
    expect_hints(&calling, "{\"field\": \"HINT_FIELD_ADDRESS\", \"prefix\": \"10.\"}",
                 "10.0.0.1=1275 10.0.0.9=360", false);
    expect_hints(&calling, "{\"field\": \"HINT_FIELD_VLAN\"}", "", false);
    expect_hints(&calling, "{\"field\": \"HINT_FIELD_NODE\"}", "here=1635", false);
    expect_hints(&calling,
                 "{\"field\": \"HINT_FIELD_NODE\", \"allow\": [{\"protocols\": [\"tcp\"]}],"
                 " \"deny\": [{\"server\": {\"ports\": [{\"min\": 2}]}}]}",
                 "here=60", false);
    const Hints *hints =
        CALL(&calling, Hints, FLOWS("FilterHints"), "{\"field\": \"HINT_FIELD_INTERFACE\"}", &answer);
    cr_assert_eq(hints->n_values, 1);
    cr_expect_not_null(strstr(calling.running.fifo, hints->values[0]->value));
    answer_done(&answer);
    end_calling(&calling);
    unlink(names_path);
}

Test(filter_hints, looks_so_far_and_says_so, .timeout = 60)
{
    enum { FLOWS_SENT = 1100 };
    struct calling calling;
    begin_calling(&calling, NULL);
    start_run(&calling.running);
    for (unsigned i = 0; i < FLOWS_SENT; i++) {
        uint8_t frame[60];
        memcpy(frame, udp_frame, sizeof frame);
        frame[FRAME_SOURCE_PORT] = (uint8_t)i;
        frame[FRAME_TARGET_PORT] = (uint8_t)(i >> 8);
        send_frame(&calling, 1000, frame);
    }
    go_on_until(&calling, 1001, has_flows, FLOWS_SENT);
    const Hints *hints =
        CALL(&calling, Hints, FLOWS("FilterHints"), "{\"field\": \"HINT_FIELD_PROTOCOL\"}", &answer);
    cr_expect_eq(hints->matched, FLOWS_SENT);
    cr_expect_eq(hints->looked_at, 1000);
    cr_expect(hints->truncated);
    cr_expect_eq(hints->values[0]->weight, 60000);
    answer_done(&answer);
    end_calling(&calling);
}

Test(filter_hints, what_is_wrong_has_its_field, .timeout = 60)
{
    struct calling calling;
    begin_calling(&calling, NULL);
    call_refused(&calling, FLOWS("FilterHints"), "{}", STATUS_INVALID_ARGUMENT, "field", "which field");
    call_refused(&calling, FLOWS("FilterHints"), "{\"field\": 77}", STATUS_INVALID_ARGUMENT, "field", "");
    call_refused(&calling, FLOWS("FilterHints"), "{\"field\": 1, \"limit\": 101}", STATUS_INVALID_ARGUMENT,
                 "limit", "at most 100");
    call_refused(&calling, FLOWS("FilterHints"), "{\"field\": 1, \"deny\": [{}]}", STATUS_INVALID_ARGUMENT,
                 "deny[0]", "denies every flow");
    call_refused(&calling, FLOWS("FilterHints"), "{\"field\": 1}", STATUS_FAILED_PRECONDITION, NULL, "");
    start_run(&calling.running);
    end_calling(&calling);
}
