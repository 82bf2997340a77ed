#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "api/report_message.h"
#include "base/strbuf.h"
#include "base/time.h"
#include "net/protocol.h"
#include "netscope/v1/report.pb-c.h"
#include "report/report.h"

static struct report *report;
static struct totals totals;

static void start(void)
{
    report = report_create(3);
    memset(&totals, 0, sizeof totals);
}

static void stop(void)
{
    report_destroy(report);
}

TestSuite(report_message, .init = start, .fini = stop);

static void give_flow(const char *sni)
{
    struct flow_record record = {
        .endpoint = {{address_v4((const uint8_t[]){10, 0, 0, 1}), 50000},
                     {address_v4((const uint8_t[]){10, 0, 0, 2}), 443}},
        .packets = {30, 70},
        .bytes = {3000, 7000},
        .retransmissions = {0, 25},
        .handshake_rtt_ns = 12 * NS_PER_MS,
        .has_quality = true,
        .final = true,
        .protocol = IP_PROTOCOL_TCP,
        .tcp_state = TCP_STATE_CLOSED,
        .client_from = CLIENT_SYN,
        .facts = {.app = FLOW_APP_TLS, .tls_version = 0x0304, .dns_rcode = -1},
    };
    struct flow_event event = {
        .record = record,
        .text = {[EVENT_TEXT_NODE] = "node-1",
                 [EVENT_TEXT_INTERFACE] = "eth0",
                 [EVENT_TEXT_NAME + 1] = "server",
                 [FLOW_TEXT_SNI] = sni},
        .community_id = "1:abc=",
    };
    report_sink(report)->ops->run(report_sink(report), &event, 1);
}

static const struct report_summary *finish(const struct report_context *context)
{
    struct error error;
    cr_assert(report_sink(report)->ops->finish(report_sink(report), &totals, &error));
    return report_finish_summary(report, context);
}

static const struct report_context plain = {.node = "node-1", .version = "1"};

Test(report_message, carries_the_flow_as_exports_do)
{
    give_flow("www.example.com");
    struct report_message *message = report_message_create(finish(&plain));
    cr_assert_not_null(message);
    const Netscope__V1__Report *got = report_message_get(message);
    cr_assert_eq(got->n_retransmitting_flows, 1);
    const Netscope__V1__Report__FlowRow *row = got->retransmitting_flows[0];
    cr_expect_float_eq(row->retransmitted_share, 0.25, 1e-9);
    cr_expect_float_eq(row->round_trip_ms, 12, 1e-9);
    cr_expect_str_eq(row->display_filter,
                     "ip.addr==10.0.0.1 && tcp.port==50000 && ip.addr==10.0.0.2 && tcp.port==443");
    cr_expect_str_eq(row->flow->community_id, "1:abc=");
    cr_expect_str_eq(row->flow->endpoint_b->name, "server");
    cr_expect_str_eq(row->flow->node, "node-1");
    cr_expect_str_eq(row->flow->sni, "www.example.com");
    cr_expect_eq(got->n_top_flows, 1);
    cr_expect_eq(got->n_talkers, 2);
    report_message_destroy(message);
}

Test(report_message, is_a_message_that_packs_and_unpacks)
{
    give_flow("evil\xff\x01");
    totals.received = totals.analysed = 100;
    totals.lost[LOST_STOP_UNREAD] = 4;
    totals.last_packet_ns = NS_PER_S;
    const char *inputs[] = {"a.pcap", "b\xfe.pcap"};
    struct report_message *message = report_message_create(
        finish(&(struct report_context){.inputs = inputs, .input_count = 2, .filter = "tcp"}));
    const Netscope__V1__Report *got = report_message_get(message);
    size_t size = netscope__v1__report__get_packed_size(got);
    uint8_t *packed = malloc(size);
    cr_assert_eq(netscope__v1__report__pack(got, packed), size);
    Netscope__V1__Report *back = netscope__v1__report__unpack(NULL, size, packed);
    cr_assert_not_null(back);
    cr_expect_eq(back->packets, 100);
    cr_expect_str_eq(back->filter, "tcp");
    cr_expect_str_eq(back->inputs[1], "b\\xfe.pcap");
    cr_expect_str_eq(back->tls->names[0]->sni, "evil\\xff\\x01");
    cr_assert_eq(back->ledger->n_lost, 1);
    cr_expect_str_eq(back->ledger->lost[0]->stage, "stop");
    cr_expect_not(back->ledger->balanced);
    cr_expect_eq(back->last_packet->seconds, 1);
    netscope__v1__report__free_unpacked(back, NULL);
    free(packed);
    report_message_destroy(message);
}

Test(report_message, json_says_null_for_what_is_unknown)
{
    struct strbuf text;
    strbuf_init(&text, 1 << 20);
    cr_assert(report_json_add(&text, finish(&plain)));
    cr_expect_not_null(strstr(text.text, "\"packets\": 0"), "%s", text.text);
    cr_expect_not_null(strstr(text.text, "\"first_packet\": null"));
    cr_expect_not_null(strstr(text.text, "\"avg_bps\": null"));
    cr_expect_not_null(strstr(text.text, "\"filter\": null"));
    cr_expect_not_null(strstr(text.text, "\"median_ms\": null"));
    cr_expect_not_null(strstr(text.text, "\"warnings\": []"));
    strbuf_done(&text);
}
