#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "decode/app/tls.h"
#include "net/protocol.h"
#include "report/report.h"

static struct report *report;
static struct totals totals;

static void start(void)
{
    report = report_create(4);
    cr_assert_not_null(report);
    memset(&totals, 0, sizeof totals);
}

static void stop(void)
{
    report_destroy(report);
}

TestSuite(report, .init = start, .fini = stop);

// A closed TCP flow from 10.0.0.<host>:40000 to 10.0.9.9:443, which the key order makes A -> B.
static struct flow_record tcp_flow(uint8_t host, uint64_t bytes)
{
    struct flow_record record = {
        .endpoint = {{address_v4((const uint8_t[]){10, 0, 0, host}), 40000},
                     {address_v4((const uint8_t[]){10, 0, 9, 9}), 443}},
        .first_seen_ns = 100 * NS_PER_S,
        .last_seen_ns = 102 * NS_PER_S,
        .end_ns = 102 * NS_PER_S,
        .packets = {10, 10},
        .bytes = {bytes / 4, bytes - bytes / 4},
        .handshake_rtt_ns = -1,
        .has_quality = true,
        .final = true,
        .protocol = IP_PROTOCOL_TCP,
        .tcp_state = TCP_STATE_CLOSED,
        .reason = END_CLOSED,
        .client_from = CLIENT_SYN,
        .tcp_flags = {TCP_SYN | TCP_ACK | TCP_FIN, TCP_SYN | TCP_ACK | TCP_FIN},
    };
    return record;
}

// With a text of the payload; TEXT_NONE: without.
enum { TEXT_NONE = EVENT_TEXT_NAMESPACE };

static void give_texts(const struct flow_record *record, const char *server_name, unsigned text,
                       const char *said)
{
    struct flow_event event = {
        .record = *record,
        .text = {[EVENT_TEXT_NODE] = "node",
                 [EVENT_TEXT_INTERFACE] = "eth0",
                 [EVENT_TEXT_NAME + 1] = server_name},
        .community_id = "1:x",
    };
    event.text[text] = said;
    report_sink(report)->ops->run(report_sink(report), &event, 1);
}

static void give_named(const struct flow_record *record, const char *server_name)
{
    give_texts(record, server_name, TEXT_NONE, NULL);
}

static void give(const struct flow_record *record)
{
    give_named(record, NULL);
}

static struct dns_transaction answer(const char *name, int16_t rcode, int64_t latency_ns)
{
    struct dns_transaction transaction = {
        .time_ns = 100 * NS_PER_S,
        .latency_ns = latency_ns,
        .client = address_v4((const uint8_t[]){10, 0, 0, 1}),
        .server = address_v4((const uint8_t[]){8, 8, 8, 8}),
        .type = 1,
        .rcode = rcode,
    };
    strcpy(transaction.name.text, name);
    transaction.name.length = (uint8_t)strlen(name);
    return transaction;
}

static void give_answer(const char *name, int16_t rcode, int64_t latency_ns)
{
    struct dns_transaction transaction = answer(name, rcode, latency_ns);
    report_sink(report)->ops->dns(report_sink(report), &transaction);
}

static const struct report_summary *finish_in(const struct report_context *context)
{
    struct error error;
    cr_assert(report_sink(report)->ops->finish(report_sink(report), &totals, &error));
    const struct report_summary *summary = report_finish_summary(report, context);
    cr_assert_not_null(summary);
    return summary;
}

static const struct report_summary *finish(void)
{
    return finish_in(&(struct report_context){.version = "1"});
}

static bool says(const struct report_sentences *sentences, const char *part)
{
    for (unsigned i = 0; i < sentences->count; i++)
        if (strstr(sentences->text[i], part) != NULL)
            return true;
    return false;
}

Test(report, an_empty_run_has_nothing_to_say)
{
    const struct report_summary *summary = finish();
    cr_expect_eq(summary->span.packets, 0);
    cr_expect(summary->span.bits_per_sec < 0);
    cr_expect(summary->ledger.balanced);
    cr_expect_eq(summary->warnings.count + summary->headlines.count, 0);
    cr_expect_eq(summary->top_flows.count + summary->host_count + summary->protocol_count, 0);
}

Test(report, lists_the_largest_flows_first_and_no_more_than_asked_for)
{
    for (uint8_t host = 1; host <= 9; host++) {
        struct flow_record record = tcp_flow(host, host * 1000u);
        give(&record);
    }
    const struct report_summary *summary = finish();
    cr_assert_eq(summary->top_flows.count, 4);
    for (unsigned i = 0; i < 4; i++)
        cr_expect_eq(summary->top_flows.rows[i]->score, 9000 - i * 1000);
    cr_expect_eq(summary->tcp.flows, 9);
    cr_expect_eq(summary->tcp.closed, 9);
}

Test(report, equal_flows_stand_in_the_order_of_outputs_whatever_came_first)
{
    for (uint8_t host = 9; host >= 1; host--) {
        struct flow_record record = tcp_flow(host, 1000);
        give(&record);
    }
    const struct report_summary *summary = finish();
    for (unsigned i = 0; i < 4; i++)
        cr_expect_eq(summary->top_flows.rows[i]->event.record.endpoint[0].address.bytes[3], i + 1);
}

Test(report, interim_records_do_not_count)
{
    struct flow_record record = tcp_flow(1, 5000);
    record.final = false;
    give(&record);
    const struct report_summary *summary = finish();
    cr_expect_eq(summary->tcp.flows + summary->host_count + summary->top_flows.count, 0);
}

Test(report, talkers_add_up_both_directions_and_keep_their_names)
{
    struct flow_record first = tcp_flow(1, 4000), second = tcp_flow(2, 8000);
    give_named(&first, "www.example.com");
    give(&second);
    const struct report_summary *summary = finish();
    cr_expect_eq(summary->host_total, 3);
    const struct report_host *server = &summary->hosts[0];
    cr_expect_eq(server->address.bytes[2], 9);
    cr_expect_str_eq(server->name, "www.example.com");
    cr_expect_eq(server->sent_bytes, 9000);
    cr_expect_eq(server->received_bytes, 3000);
    cr_expect_eq(server->flows, 2);
    cr_expect_eq(summary->service_count, 1);
    cr_expect_eq(summary->services[0].port, 443);
    cr_expect_eq(summary->services[0].bytes, 12000);
}

Test(report, retransmissions_make_a_list_a_share_and_a_headline)
{
    struct flow_record good = tcp_flow(1, 90000), bad = tcp_flow(2, 1000);
    bad.retransmissions[1] = 5;
    give(&good);
    give(&bad);
    const struct report_summary *summary = finish();
    cr_assert_eq(summary->retransmitting_flows.count, 1);
    const struct report_flow *row = summary->retransmitting_flows.rows[0];
    cr_expect_str_eq(row->display_filter,
                     "ip.addr==10.0.0.2 && tcp.port==40000 && ip.addr==10.0.9.9 && tcp.port==443");
    cr_expect_eq(summary->tcp.lossy, 1);
    cr_expect_float_eq(summary->tcp.worst_share, 0.25, 1e-9);
    cr_expect(says(&summary->headlines, "1 of 2 TCP flows retransmitted more than 1 %"));
}

// Host numbers in the order of the list.
static void expect_retransmitting(const struct report_summary *summary, const uint8_t *hosts, unsigned count)
{
    cr_assert_eq(summary->retransmitting_flows.count, count);
    for (unsigned i = 0; i < count; i++)
        cr_expect_eq(summary->retransmitting_flows.rows[i]->event.record.endpoint[0].address.bytes[3],
                     hosts[i], "row %u", i);
}

Test(report, the_worst_flow_is_the_one_with_the_largest_share_then_the_slowest)
{
    struct flow_record many = tcp_flow(1, 1000), few = tcp_flow(2, 1000), far = tcp_flow(3, 1000),
                       unanswered = tcp_flow(4, 1000);
    many.packets[0] = many.packets[1] = 1000;
    many.retransmissions[0] = 50;
    few.retransmissions[1] = far.retransmissions[0] = 2;
    few.handshake_rtt_ns = 20 * NS_PER_MS;
    far.handshake_rtt_ns = 300 * NS_PER_MS;
    unanswered.packets[1] = 0;
    unanswered.retransmissions[0] = 9;
    give(&unanswered);
    give(&many);
    give(&few);
    give(&far);
    expect_retransmitting(finish(), (const uint8_t[]){3, 2, 1, 4}, 4);
}

Test(report, a_flow_is_as_slow_as_its_longer_round_trip)
{
    struct flow_record far = tcp_flow(1, 1000), near = tcp_flow(2, 1000), unknown = tcp_flow(3, 1000);
    far.handshake_rtt_ns = 600 * NS_PER_MS;
    far.rtt_samples = near.rtt_samples = 3;
    far.rtt_ewma_ns = NS_PER_MS;
    near.rtt_ewma_ns = 2 * NS_PER_MS;
    give(&near);
    give(&far);
    give(&unknown);
    const struct report_summary *summary = finish();
    cr_assert_eq(summary->slow_flows.count, 2);
    cr_expect_eq(summary->slow_flows.rows[0]->event.record.endpoint[0].address.bytes[3], 1);
    cr_expect_eq(summary->slow_flows.rows[0]->score, 600 * NS_PER_MS);
    cr_expect_eq(summary->tcp.slow, 1);
}

Test(report, failed_connections_are_told_apart)
{
    struct flow_record silent = tcp_flow(1, 120), refused = tcp_flow(2, 120), reset = tcp_flow(3, 500);
    silent.tcp_state = TCP_STATE_SYN_SENT;
    silent.tcp_flags[0] = TCP_SYN;
    silent.tcp_flags[1] = 0;
    silent.packets[1] = 0;
    refused.tcp_state = reset.tcp_state = TCP_STATE_RESET;
    refused.tcp_flags[0] = TCP_SYN;
    refused.tcp_flags[1] = TCP_RST | TCP_ACK;
    reset.tcp_flags[1] |= TCP_RST;
    give(&silent);
    give(&refused);
    give(&reset);
    const struct report_summary *summary = finish();
    cr_expect_eq(summary->tcp.unanswered, 1);
    cr_expect_eq(summary->tcp.refused, 1);
    cr_expect_eq(summary->tcp.reset, 1);
    cr_assert_eq(summary->target_count, 1);
    cr_expect_eq(summary->targets[0].server.port, 443);
    cr_expect_eq(summary->targets[0].refused, 1);
    cr_expect_eq(summary->targets[0].unanswered, 1);
    cr_expect(says(&summary->headlines, "2 of 3 TCP connections failed: 1 refused, 1 unanswered"));
}

// What made room for others was given no time to be answered.
Test(report, attempts_evicted_before_an_answer_could_come_are_no_failures)
{
    struct flow_record silent = tcp_flow(1, 120), waited;
    silent.tcp_state = TCP_STATE_SYN_SENT;
    silent.tcp_flags[0] = TCP_SYN;
    silent.tcp_flags[1] = 0;
    silent.packets[1] = 0;
    silent.reason = END_EVICTION;
    waited = silent;
    silent.end_ns = silent.first_seen_ns + 2 * NS_PER_S - 1;
    waited.end_ns = waited.first_seen_ns + 2 * NS_PER_S;
    give(&silent);
    give(&waited);
    const struct report_summary *summary = finish();
    cr_expect_eq(summary->tcp.unanswered, 1);
    cr_expect_eq(summary->tcp.inconclusive, 1);
    cr_expect_eq(summary->tcp.open + summary->tcp.half_open + summary->tcp.midway, 0);
    cr_assert_eq(summary->target_count, 1);
    cr_expect_eq(summary->targets[0].unanswered, 1);
}

Test(report, dns_failures_are_counted_by_code_and_name)
{
    give_answer("good.example", 0, 10 * NS_PER_MS);
    give_answer("bad.example", 3, 20 * NS_PER_MS);
    give_answer("BAD.example", 3, 30 * NS_PER_MS);
    give_answer("broken.example", 2, 900 * NS_PER_MS);
    totals.dns_messages = 8;
    const struct report_dns *dns = &finish()->dns;
    cr_expect_eq(dns->answers, 4);
    cr_expect_eq(dns->failures, 3);
    cr_assert_eq(dns->rcode_count, 2);
    cr_expect_eq(dns->rcodes[0].rcode, 3);
    cr_expect_eq(dns->rcodes[0].answers, 2);
    cr_assert_eq(dns->failed_count, 2);
    cr_expect_str_eq(dns->failed[0].name, "bad.example");
    cr_expect_eq(dns->failed[0].count, 2);
    cr_assert_eq(dns->slowest_count, 4);
    cr_expect_str_eq(dns->slowest[0]->name, "broken.example");
    cr_expect_eq(dns->slow, 1);
    cr_expect_float_eq((double)dns->median_ns, 30e6, 3e6);
}

static struct flow_record dns_flow(int16_t rcode, uint8_t last_byte_of_server)
{
    struct flow_record record = tcp_flow(1, 200);
    record.protocol = IP_PROTOCOL_UDP;
    record.tcp_state = TCP_STATE_NONE;
    record.endpoint[1] = (struct endpoint){address_v4((const uint8_t[]){last_byte_of_server, 0, 0, 251}), 53};
    record.facts = (struct flow_facts){.app = FLOW_APP_DNS, .dns_type = 28, .dns_rcode = rcode};
    return record;
}

Test(report, a_query_evicted_before_an_answer_could_come_is_not_unanswered)
{
    struct flow_record query = dns_flow(-1, 9);
    query.reason = END_EVICTION;
    query.end_ns = query.first_seen_ns + NS_PER_S;
    give_texts(&query, NULL, FLOW_TEXT_DNS_QUERY, "lost.example");
    const struct report_dns *dns = &finish()->dns;
    cr_expect_eq(dns->unanswered, 0);
    cr_expect_eq(dns->unanswered_count, 0);
    cr_expect_eq(dns->inconclusive, 1);
}

Test(report, a_dns_flow_without_answer_is_unanswered_unless_it_asked_everybody)
{
    struct flow_record asked = dns_flow(-1, 9), multicast = dns_flow(-1, 224), answered = dns_flow(0, 9);
    give_texts(&asked, NULL, FLOW_TEXT_DNS_QUERY, "lost.example");
    give_texts(&multicast, NULL, FLOW_TEXT_DNS_QUERY, "lost.example");
    give_texts(&answered, NULL, FLOW_TEXT_DNS_QUERY, "lost.example");
    const struct report_dns *dns = &finish()->dns;
    cr_expect_eq(dns->unanswered, 1);
    cr_assert_eq(dns->unanswered_count, 1);
    cr_expect_str_eq(dns->unanswered_names[0].name, "lost.example");
    cr_expect_eq(dns->unanswered_names[0].type, 28);
    cr_expect_eq(dns->unanswered_names[0].server.bytes[0], 9);
}

Test(report, tls_names_and_versions)
{
    struct flow_record record = tcp_flow(1, 1000);
    record.facts =
        (struct flow_facts){.app = FLOW_APP_TLS, .tls_version = 0x0304, .sni_status = SNI_COMPLETE};
    give_texts(&record, NULL, FLOW_TEXT_SNI, "www.example.com");
    give_texts(&record, NULL, FLOW_TEXT_SNI, "WWW.Example.com");
    record.facts.tls_version = 0x0301;
    record.facts.sni_status = SNI_ABSENT;
    give(&record);
    const struct report_summary *summary = finish();
    cr_expect_eq(summary->tls.flows, 3);
    cr_expect_eq(summary->tls.without_name, 1);
    cr_expect_eq(summary->tls.outdated, 1);
    cr_assert_eq(summary->tls.name_count, 1);
    cr_expect_str_eq(summary->tls.name[0].name, "www.example.com");
    cr_expect_eq(summary->tls.name[0].flows, 2);
    cr_expect_eq(summary->tls.versions[0].version, 0x0304);
    cr_expect_eq(summary->application_count, 1);
    cr_expect_str_eq(summary->applications[0].name, "tls");
}

Test(report, more_names_than_it_keeps_are_said_to_be_missing_and_heavy_ones_stay)
{
    for (unsigned i = 0; i < 40000; i++) {
        char name[32];
        snprintf(name, sizeof name, "n%05u.example", i);
        give_answer(name, 3, -1);
        give_answer("heavy.example", 3, -1);
    }
    const struct report_summary *summary = finish();
    cr_expect_eq(summary->dns.failures, 80000);
    cr_expect_str_eq(summary->dns.failed[0].name, "heavy.example");
    cr_expect_eq(summary->dns.failed[0].count, 40000);
    cr_expect_gt(summary->overflow.dns_names, 20000);
    cr_expect(says(&summary->warnings, "given up"));
}

Test(report, the_ledger_names_each_loss)
{
    totals.received = 100;
    totals.received_bytes = 10000;
    totals.analysed = 90;
    totals.duplicate = 3;
    totals.lost[LOST_KERNEL_RING] = 7;
    totals.first_packet_ns = 100 * NS_PER_S;
    totals.last_packet_ns = 110 * NS_PER_S;
    const struct report_summary *summary = finish();
    cr_expect(summary->ledger.balanced);
    cr_assert_eq(summary->ledger.lost_count, 1);
    cr_expect_str_eq(summary->ledger.lost_by[0].stage, "kernel");
    cr_expect_eq(summary->ledger.lost_by[0].packets, 7);
    cr_expect_float_eq(summary->span.bits_per_sec, 8000, 1e-6);
    cr_expect(says(&summary->warnings, "7 of 100 packets (7.0 %) were lost"));
}

Test(report, protocols_hold_what_has_no_flow_too)
{
    totals.received = totals.analysed = 10;
    totals.analysed_bytes = 1000;
    totals.protocol_packets[IP_PROTOCOL_UDP] = 8;
    totals.protocol_bytes[IP_PROTOCOL_UDP] = 900;
    totals.arp = 2;
    const struct report_summary *summary = finish();
    cr_assert_eq(summary->protocol_count, 2);
    cr_expect_str_eq(summary->protocols[0].name, "udp");
    cr_expect_float_eq(summary->protocols[0].byte_share, 0.9, 1e-9);
    cr_expect_str_eq(summary->protocols[1].name, "arp");
    cr_expect(summary->protocols[1].bytes_known);
    cr_expect_eq(summary->protocols[1].bytes, 100);
}

Test(report, second_sightings_are_warned_of_unless_the_first_one_counts)
{
    totals.received = totals.analysed = 100;
    totals.second_sightings = 38;
    cr_expect(says(&finish()->warnings, "38 % of the packets are second sightings"));
}

Test(report, with_observation_first_there_is_no_such_warning)
{
    totals.received = totals.analysed = 100;
    totals.second_sightings = 38;
    const struct report_summary *summary = finish_in(&(struct report_context){.observe_first = true});
    cr_expect_eq(summary->warnings.count, 0);
}

Test(report, what_was_not_understood_is_listed)
{
    totals.received = totals.analysed = 20;
    totals.decode_errors[DECODE_LAYER_NETWORK][DECODE_BAD_LENGTH] = 2;
    totals.decode_errors[DECODE_LAYER_LINK][DECODE_UNSUPPORTED_TYPE] = 3;
    totals.unsupported = 1;
    totals.unsupported_kind[0] = (struct unsupported_totals){.number = 0x88cc, .packets = 3};
    totals.clock_steps_back = 1;
    const struct report_summary *summary = finish();
    cr_assert_eq(summary->doubts.error_count, 1);
    cr_expect_str_eq(summary->doubts.errors[0].layer, "network");
    cr_expect_str_eq(summary->doubts.errors[0].reason, "bad_length");
    cr_assert_eq(summary->doubts.unsupported_count, 1);
    cr_expect_eq(summary->doubts.unsupported[0].number, 0x88cc);
    cr_expect(says(&summary->warnings, "stepped back"));
}

Test(report, a_host_that_talks_to_itself_sends_and_receives_all)
{
    struct flow_record record = tcp_flow(1, 1000);
    record.endpoint[1].address = record.endpoint[0].address;
    give(&record);
    const struct report_summary *summary = finish();
    cr_assert_eq(summary->host_count, 1);
    cr_expect_eq(summary->hosts[0].sent_bytes, 1000);
    cr_expect_eq(summary->hosts[0].received_bytes, 1000);
    cr_expect_eq(summary->hosts[0].flows, 1);
}

Test(report, handshakes_that_never_finish_make_a_headline)
{
    for (uint8_t host = 1; host <= 20; host++) {
        struct flow_record record = tcp_flow(host, 100);
        if (host > 5)
            record.tcp_state = TCP_STATE_SYN_ACK;
        give(&record);
    }
    const struct report_summary *summary = finish();
    cr_expect_eq(summary->tcp.half_open, 15);
    cr_expect(says(&summary->headlines, "15 of 20 TCP connections were answered but never finished"));
}
