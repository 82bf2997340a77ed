#include "table_steps.h"

Test(flow_table_ends, times_out_exactly_at_a_packet)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    feed_udp(&test, 1, 1000, 0);
    cr_expect_not(feed_udp(&test, 1, 1000, 60 * NS_PER_S).created, "idle for the timeout: the same flow");
    cr_expect(feed_udp(&test, 1, 1000, 120 * NS_PER_S + 1).created, "a nanosecond later: another one");
    expect_ended(&test, END_TIMEOUT, 120 * NS_PER_S);
    end(&test);
}

Test(flow_table_ends, times_out_within_a_second_without_packets)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    feed_udp(&test, 1, 1000, NS_PER_MS);
    tick(&test, 60 * NS_PER_S + NS_PER_MS);
    cr_expect_eq(ended(&test), 0);
    tick(&test, 61 * NS_PER_S + NS_PER_MS);
    expect_ended(&test, END_TIMEOUT, 60 * NS_PER_S + NS_PER_MS);
    cr_expect_eq(flow_table_active(&test.table), 0);
    end(&test);
}

static void expect_timeout(struct test_table *test, int64_t last_ns, int64_t timeout_ns)
{
    tick(test, last_ns + timeout_ns);
    cr_expect_eq(ended(test), 0);
    tick(test, last_ns + timeout_ns + NS_PER_S);
    cr_assert_eq(ended(test), 1);
    expect_ended(test, END_TIMEOUT, last_ns + timeout_ns);
}

Test(flow_table_ends, gives_each_protocol_its_timeout)
{
    struct flow_policy policy = test_policy();
    policy.timeout_ns = 20 * NS_PER_S;
    policy.tcp_timeout_ns = 100 * NS_PER_S;
    policy.udp_timeout_ns = 30 * NS_PER_S;
    policy.icmp_timeout_ns = 10 * NS_PER_S;
    struct test_table test;
    test_table_init(&test, policy);

    feed_udp(&test, 1, 1000, 0);
    expect_timeout(&test, 0, 30 * NS_PER_S);
    struct packet ping = icmp_packet(1, 2, 8, 0, 40 * NS_PER_S);
    feed(&test, &ping);
    expect_timeout(&test, 40 * NS_PER_S, 10 * NS_PER_S);
    struct packet gre = ip_packet(IP_PROTOCOL_GRE, 1, 2, 60 * NS_PER_S);
    feed(&test, &gre);
    expect_timeout(&test, 60 * NS_PER_S, 20 * NS_PER_S);
    feed_tcp(&test, 1, TCP_SYN, 100, 90 * NS_PER_S);
    expect_timeout(&test, 90 * NS_PER_S, 20 * NS_PER_S);
    shake_hands(&test, 100, 120 * NS_PER_S);
    expect_timeout(&test, 120 * NS_PER_S + 2 * NS_PER_MS, 100 * NS_PER_S);
    end(&test);
}

Test(flow_table_ends, never_times_out_when_told_so)
{
    struct flow_policy policy = test_policy();
    policy.never = true;
    struct test_table test;
    test_table_init(&test, policy);
    static const int64_t year_ns = INT64_C(365) * 86400 * NS_PER_S;
    feed_udp(&test, 1, 1000, 0);
    shake_hands(&test, 100, 0);
    close_both(&test, 101, NS_PER_S);
    tick(&test, year_ns);
    cr_expect_eq(ended(&test), 0);
    cr_expect_not(feed_udp(&test, 1, 1000, 2 * year_ns).created);
    end(&test);
}

Test(flow_table_ends, finishes_what_is_due_as_timed_out)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    feed_udp(&test, 1, 1000, NS_PER_S / 2);
    feed_udp(&test, 1, 2000, NS_PER_S);
    tick(&test, 60 * NS_PER_S + NS_PER_S * 3 / 4); // the first is due, its slot is not
    finish(&test, 60 * NS_PER_S + NS_PER_S * 3 / 4);
    cr_assert_eq(ended(&test), 2);
    expect_ended(&test, END_TIMEOUT, 60 * NS_PER_S + NS_PER_S / 2);
    expect_ended(&test, END_RUN, 60 * NS_PER_S + NS_PER_S * 3 / 4);
    test_table_done(&test);
}

// Live, a stamp can be ahead of the clock: a record never ends before it was last seen.
Test(flow_table_ends, ends_no_flow_before_its_last_packet)
{
    struct flow_policy policy = test_policy();
    policy.active_timeout_ns = NS_PER_S;
    struct test_table test;
    test_table_init(&test, policy);
    feed_udp(&test, 1, 1000, 0);
    feed_udp(&test, 1, 1000, 2 * NS_PER_S); // an interim record at 2 s
    finish(&test, NS_PER_S);
    cr_assert_eq(ended(&test), 2);
    struct flow_record interim = take(&test), last = take(&test);
    cr_expect(!interim.final && last.final, "the interim record comes first");
    cr_expect_eq(last.end_ns, last.last_seen_ns);
    cr_expect_eq(last.packets[0], 2);
    test_table_done(&test);
}

// Ends of TCP.

Test(flow_table_ends, lets_closed_flows_linger_for_five_seconds)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    shake_hands(&test, 100, 0);
    close_both(&test, 101, NS_PER_S);
    cr_expect_not(feed_tcp(&test, 1, TCP_ACK, 102, NS_PER_S + 2 * NS_PER_MS).created,
                  "its last ACK belongs to it");
    tick(&test, 6 * NS_PER_S);
    cr_expect_eq(ended(&test), 0);
    tick(&test, 7 * NS_PER_S + 2 * NS_PER_MS);
    expect_ended(&test, END_CLOSED, NS_PER_S + 2 * NS_PER_MS);
    end(&test);
}

Test(flow_table_ends, ends_reset_flows_as_reset)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    feed_tcp(&test, 1, TCP_SYN, 100, 0);
    feed_tcp(&test, 2, TCP_RST | TCP_ACK, 0, NS_PER_MS);
    tick(&test, 6 * NS_PER_S + NS_PER_MS);
    expect_ended(&test, END_RESET, NS_PER_MS);
    end(&test);
}

Test(flow_table_ends, starts_a_new_flow_at_a_syn_with_a_new_sequence)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    shake_hands(&test, 100, 0);
    cr_expect_not(feed_tcp(&test, 1, TCP_SYN, 7000, NS_PER_S / 2).created, "not while it is open");
    close_both(&test, 101, NS_PER_S);
    cr_expect_not(feed_tcp(&test, 1, TCP_SYN, 100, 2 * NS_PER_S).created, "its own, read late");
    cr_expect(feed_tcp(&test, 1, TCP_SYN, 8000, 3 * NS_PER_S).created);
    expect_ended(&test, END_REUSE, 2 * NS_PER_S);
    cr_expect_eq(flow_table_active(&test.table), 1);
    finish(&test, 4 * NS_PER_S);
    struct flow_record second = take(&test);
    cr_expect_eq(second.tcp_state, TCP_STATE_SYN_SENT);
    cr_expect_eq(second.packets[0] + second.packets[1], 1);
    test_table_done(&test);
}

// A connection that just went silent: whoever asks anew after a rest means another one.
Test(flow_table_ends, starts_a_new_flow_at_a_syn_behind_a_rest)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    shake_hands(&test, 100, 0);
    cr_expect(feed_tcp(&test, 1, TCP_SYN, 7000, 6 * NS_PER_S).created);
    expect_ended(&test, END_REUSE, 2 * NS_PER_MS);
    end(&test);
}

// In the middle of a busy connection a SYN may be forged: its answer decides. The flow keeps its own counts.
Test(flow_table_ends, starts_a_new_flow_at_a_syn_that_is_answered)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    shake_hands(&test, 100, 0);
    for (int i = 1; i <= 2; i++)
        cr_expect_not(feed_tcp(&test, 1, TCP_SYN, 7000, i * NS_PER_S).created);
    struct packet answer = tcp_packet(2, 443, 1, 40000, TCP_SYN | TCP_ACK, 2 * NS_PER_S + NS_PER_MS);
    answer.tcp.acknowledgement = 7001;
    feed(&test, &answer);
    cr_expect_eq(flow_table_active(&test.table), 1);
    struct flow_record former = take(&test);
    cr_expect_eq(former.reason, END_REUSE);
    cr_expect(former.packets[0] == 2 && former.packets[1] == 1 && former.tcp_state == TCP_STATE_ESTABLISHED);
    finish(&test, 3 * NS_PER_S);
    struct flow_record next = take(&test);
    cr_expect(next.packets[0] == 2 && next.packets[1] == 1 && next.tcp_state == TCP_STATE_SYN_ACK);
    cr_expect_eq(next.bytes[0], 2 * HEADERS_BYTES);
    cr_expect_eq(next.first_seen_ns, TEST_START_NS + NS_PER_S);
    test_table_done(&test);
}

// Each refused try is an attempt, as for Zeek; that its SYN repeats the one before is a retransmission, as for tshark.
Test(flow_table_ends, tells_attempts_apart_that_were_refused_each)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    for (int i = 0; i < 3; i++) {
        cr_expect(feed_tcp(&test, 1, TCP_SYN, 100, i * NS_PER_S).created);
        feed_tcp(&test, 2, TCP_RST | TCP_ACK, 0, i * NS_PER_S + NS_PER_MS);
        cr_expect_not(feed_tcp(&test, 1, TCP_SYN, 100, i * NS_PER_S + 2 * NS_PER_MS).created, "too soon");
    }
    finish(&test, 3 * NS_PER_S);
    for (int i = 0; i < 3; i++) {
        struct flow_record record = take(&test);
        cr_expect(record.conn_state == CONN_STATE_REJ && strcmp(record.history, "Sr") == 0, "%s",
                  record.history);
        cr_expect_eq(record.retransmissions[0], i == 0 ? 1 : 2);
    }
    test_table_done(&test);
}

// A burst is spread over ticks: late by some of them, with the same ends, and nothing is left behind.
Test(flow_table_ends, a_burst_of_ends_is_paced)
{
    enum { FLOWS = 6400, AT_MOST = 10, AGAIN_AT_S = 200 };
    struct test_table test;
    struct flow_policy policy = test_policy();
    policy.expire_at_most = AT_MOST;
    test_table_init(&test, policy);
    for (uint16_t i = 0; i < FLOWS; i++)
        feed_udp(&test, 1, (uint16_t)(1000 + i), 0);
    unsigned count = 0, ticks = 0;
    while (flow_table_active(&test.table) > 0 && ticks < FLOWS) {
        tick(&test, (AGAIN_AT_S * 1000 + 50 * ticks++) * NS_PER_MS);
        cr_assert(ended(&test) > 0 && ended(&test) <= (size_t)AT_MOST * FLOW_PARTITIONS);
        for (size_t left = ended(&test); left > 0; left--, count++) {
            struct flow_record record = take(&test);
            cr_assert_eq(record.reason, END_TIMEOUT);
            cr_assert_eq(record.end_ns, TEST_START_NS + policy.udp_timeout_ns);
            flow_names_free(record.names);
        }
    }
    cr_assert_eq(count, FLOWS);
    cr_assert_geq(ticks, FLOWS / FLOW_PARTITIONS / AT_MOST);
    test_table_done(&test);
}

Test(flow_table_ends, a_burst_of_ends_waits_for_who_lags)
{
    enum { FLOWS = 64000, AT_MOST = 80 };
    struct test_table test;
    struct flow_policy policy = test_policy();
    policy.expire_at_most = AT_MOST;
    test_table_init(&test, policy);
    for (unsigned i = 0; i < FLOWS; i++)
        feed_udp(&test, 1, (uint16_t)i, 0);
    size_t ended_when[2];
    for (int slowly = 0; slowly < 2; slowly++) {
        test.table.slowly = slowly;
        tick(&test, (200000 + 50 * slowly) * NS_PER_MS);
        ended_when[slowly] = ended(&test);
        while (ended(&test) > 0)
            flow_names_free(take(&test).names);
        take_none(&test);
    }
    cr_expect_eq(ended_when[0], (size_t)AT_MOST * FLOW_PARTITIONS);
    cr_expect_eq(ended_when[1], (size_t)(AT_MOST / 8 + 1) * FLOW_PARTITIONS);
    finish(&test, 201 * NS_PER_S);
    while (ended(&test) > 0)
        flow_names_free(take(&test).names);
    test_table_done(&test);
}

// A packet of a flow that waits for its end begins another one, as if that had come in time.
Test(flow_table_ends, a_flow_that_waits_for_its_end_is_over)
{
    struct test_table test;
    struct flow_policy policy = test_policy();
    policy.expire_at_most = 1;
    test_table_init(&test, policy);
    for (uint16_t i = 0; i < 1000; i++)
        feed_udp(&test, 1, (uint16_t)(1000 + i), 0);
    tick(&test, 200 * NS_PER_S);
    while (ended(&test) > 0)
        flow_names_free(take(&test).names);
    take_none(&test);
    for (uint16_t i = 0; i < 1000; i++)
        cr_assert(feed_udp(&test, 1, (uint16_t)(1000 + i), 200 * NS_PER_S).created);
    cr_assert_eq(test.table.counts.ended[END_TIMEOUT], 1000);
    finish(&test, 201 * NS_PER_S);
    while (ended(&test) > 0)
        flow_names_free(take(&test).names);
    test_table_done(&test);
}
