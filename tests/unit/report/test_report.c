#include "made_report.h"

TestSuite(report, .init = start, .fini = stop);

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
    far.rtt_far.samples = near.rtt_far.samples = 3;
    far.rtt_far.ewma_ns = NS_PER_MS;
    near.rtt_far.ewma_ns = 2 * NS_PER_MS;
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

// Of a lone SYN-ACK nobody knows what followed: its direction alone was captured.
Test(report, answers_without_their_question_have_not_failed)
{
    for (uint8_t host = 1; host <= 20; host++) {
        struct flow_record record = tcp_flow(host, 100);
        record.tcp_state = TCP_STATE_SYN_ACK;
        record.packets[0] = record.bytes[0] = 0;
        give(&record);
    }
    const struct report_summary *summary = finish();
    cr_expect(summary->tcp.half_open == 0 && summary->tcp.midway == 20);
    cr_expect_eq(summary->headlines.count, 0);
}
