#include "flow/table.h"

#include "packets.h"

static struct fed feed_udp(struct test_table *test, uint8_t from, uint16_t from_port, int64_t at_ns)
{
    struct packet packet =
        from == 1 ? udp_packet(1, from_port, 2, 53, at_ns) : udp_packet(2, 53, 1, from_port, at_ns);
    return feed(test, &packet);
}

// A segment between 10.0.0.1:40000, the client, and 10.0.0.2:443.
static struct fed feed_tcp(struct test_table *test, uint8_t from, uint8_t flags, uint32_t sequence,
                           int64_t at_ns)
{
    struct packet packet =
        from == 1 ? tcp_packet(1, 40000, 2, 443, flags, at_ns) : tcp_packet(2, 443, 1, 40000, flags, at_ns);
    packet.tcp.sequence = sequence;
    return feed(test, &packet);
}

static void shake_hands(struct test_table *test, uint32_t sequence, int64_t at_ns)
{
    feed_tcp(test, 1, TCP_SYN, sequence, at_ns);
    feed_tcp(test, 2, TCP_SYN | TCP_ACK, 9000, at_ns + NS_PER_MS);
    feed_tcp(test, 1, TCP_ACK, sequence + 1, at_ns + 2 * NS_PER_MS);
}

static void close_both(struct test_table *test, uint32_t sequence, int64_t at_ns)
{
    feed_tcp(test, 1, TCP_FIN | TCP_ACK, sequence, at_ns);
    feed_tcp(test, 2, TCP_FIN | TCP_ACK, 9001, at_ns + NS_PER_MS);
}

static void expect_ended(struct test_table *test, enum end_reason reason, int64_t end_ns)
{
    struct flow_record record = take(test);
    cr_expect_eq(record.reason, reason, "%s", end_reason_name(record.reason));
    cr_expect_eq(record.end_ns, TEST_START_NS + end_ns, "off by %ld ns",
                 record.end_ns - TEST_START_NS - end_ns);
    cr_expect(record.final);
    flow_names_free(record.names);
}

static void end(struct test_table *test)
{
    while (ended(test) > 0)
        flow_names_free(take(test).names);
    take_none(test);
    finish(test, 0);
    while (ended(test) > 0)
        flow_names_free(take(test).names);
    test_table_done(test);
}

Test(flow_table, counts_both_directions_of_a_flow)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    cr_expect(feed_udp(&test, 1, 1000, 0).created);
    cr_expect_not(feed_udp(&test, 2, 1000, 5).created);
    struct packet large = udp_packet(1, 1000, 2, 53, 9);
    set_payload(&large, 1000);
    feed(&test, &large);
    cr_expect_eq(flow_table_active(&test.table), 1);
    finish(&test, NS_PER_S);
    struct flow_record record = take(&test);
    cr_expect(record.packets[0] == 2 && record.packets[1] == 1);
    cr_expect(record.bytes[0] == 2 * HEADERS_BYTES + 1000 && record.bytes[1] == HEADERS_BYTES);
    cr_expect_eq(record.first_seen_ns, TEST_START_NS);
    cr_expect_eq(record.last_seen_ns, TEST_START_NS + 9);
    cr_expect_eq(record.reason, END_RUN);
    cr_expect_eq(record.end_ns, TEST_START_NS + NS_PER_S);
    test_table_done(&test);
}

// Timeouts.

Test(flow_table, times_out_exactly_at_a_packet)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    feed_udp(&test, 1, 1000, 0);
    cr_expect_not(feed_udp(&test, 1, 1000, 60 * NS_PER_S).created, "idle for the timeout: the same flow");
    cr_expect(feed_udp(&test, 1, 1000, 120 * NS_PER_S + 1).created, "a nanosecond later: another one");
    expect_ended(&test, END_TIMEOUT, 120 * NS_PER_S);
    end(&test);
}

Test(flow_table, times_out_within_a_second_without_packets)
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

Test(flow_table, gives_each_protocol_its_timeout)
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

Test(flow_table, never_times_out_when_told_so)
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

Test(flow_table, finishes_what_is_due_as_timed_out)
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
Test(flow_table, ends_no_flow_before_its_last_packet)
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

Test(flow_table, lets_closed_flows_linger_for_five_seconds)
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

Test(flow_table, ends_reset_flows_as_reset)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    feed_tcp(&test, 1, TCP_SYN, 100, 0);
    feed_tcp(&test, 2, TCP_RST | TCP_ACK, 0, NS_PER_MS);
    tick(&test, 6 * NS_PER_S + NS_PER_MS);
    expect_ended(&test, END_RESET, NS_PER_MS);
    end(&test);
}

Test(flow_table, starts_a_new_flow_at_a_syn_with_a_new_sequence)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    shake_hands(&test, 100, 0);
    cr_expect_not(feed_tcp(&test, 1, TCP_SYN, 7000, NS_PER_S / 2).created, "not while it is open");
    close_both(&test, 101, NS_PER_S);
    cr_expect_not(feed_tcp(&test, 1, TCP_SYN, 7000, 2 * NS_PER_S).created, "the last SYN's own repetition");
    cr_expect(feed_tcp(&test, 1, TCP_SYN, 8000, 3 * NS_PER_S).created);
    expect_ended(&test, END_REUSE, 2 * NS_PER_S);
    cr_expect_eq(flow_table_active(&test.table), 1);
    finish(&test, 4 * NS_PER_S);
    struct flow_record second = take(&test);
    cr_expect_eq(second.tcp_state, TCP_STATE_SYN_SENT);
    cr_expect_eq(second.packets[0] + second.packets[1], 1);
    test_table_done(&test);
}

Test(flow_table, keeps_refused_attempts_with_one_sequence_together)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(feed_tcp(&test, 1, TCP_SYN, 100, i * NS_PER_S).created, i == 0);
        feed_tcp(&test, 2, TCP_RST | TCP_ACK, 0, i * NS_PER_S + NS_PER_MS);
    }
    cr_expect(feed_tcp(&test, 1, TCP_SYN, 101, 3 * NS_PER_S).created);
    expect_ended(&test, END_REUSE, 2 * NS_PER_S + NS_PER_MS);
    end(&test);
}

// The cap.

static struct flow_policy capped_policy(uint32_t max_flows)
{
    struct flow_policy policy = test_policy();
    policy.max_flows = max_flows;
    return policy;
}

static void answer(struct test_table *test, uint16_t port, int64_t at_ns)
{
    feed_udp(test, 1, port, at_ns);
    feed_udp(test, 2, port, at_ns);
}

Test(flow_table, evicts_the_least_recently_seen)
{
    enum { CAP = 100 };
    struct test_table test;
    test_table_init(&test, capped_policy(CAP));
    for (uint16_t i = 0; i < CAP; i++)
        answer(&test, 1000 + i, i * NS_PER_S / 4);
    for (uint16_t i = 0; i < 8; i++)
        answer(&test, 1000 + i, 30 * NS_PER_S); // the oldest are seen again
    for (uint16_t i = 0; i < 8; i++)
        answer(&test, 2000 + i, 31 * NS_PER_S);
    cr_expect_eq(flow_table_active(&test.table), CAP);
    cr_assert_eq(ended(&test), 8);
    for (uint16_t i = 0; i < 8; i++) {
        struct flow_record record = take(&test);
        cr_expect_eq(record.reason, END_EVICTION);
        cr_expect_eq(record.end_ns, record.last_seen_ns);
        uint16_t port = record.endpoint[0].port;
        cr_expect(port >= 1008 && port < 1016, "flow %u", port);
    }
    cr_expect_eq(test.table.counts.ended[END_EVICTION], 8);
    end(&test);
}

// A flood of one-way packets evicts itself, however recent it is, not the flows that talk.
Test(flow_table, evicts_attempts_first_under_a_flood)
{
    enum { CAP = 1000, TALKING = 400, FLOOD = 20000 };
    struct test_table test;
    test_table_init(&test, capped_policy(CAP));
    for (uint16_t i = 0; i < TALKING; i++)
        answer(&test, i, 0);
    for (uint32_t i = 0; i < FLOOD; i++) {
        struct packet syn =
            tcp_packet((uint8_t)(10 + i % 200), (uint16_t)i, 5, 80, TCP_SYN, NS_PER_S + i * 2 * NS_PER_MS);
        feed(&test, &syn);
        cr_assert_leq(flow_table_active(&test.table), CAP);
    }
    cr_expect_eq(test.table.counts.ended[END_EVICTION], FLOOD + TALKING - CAP);
    while (ended(&test) > 0)
        cr_assert_eq(take(&test).protocol, IP_PROTOCOL_TCP, "a flow that talks was evicted");
    for (uint16_t i = 0; i < TALKING; i++)
        cr_assert_not(feed_udp(&test, 1, i, 42 * NS_PER_S).created, "flow %u", i);
    end(&test);
}

// Up to half of the table, attempts are as good as others: the least recently seen goes.
Test(flow_table, spares_attempts_that_are_few)
{
    struct test_table test;
    test_table_init(&test, capped_policy(10));
    for (uint16_t i = 0; i < 6; i++)
        answer(&test, 100 + i, i * NS_PER_S);
    for (uint16_t i = 0; i < 4; i++)
        feed_udp(&test, 1, 200 + i, 10 * NS_PER_S);
    answer(&test, 300, 20 * NS_PER_S);
    cr_assert_eq(ended(&test), 1);
    cr_expect_eq(take(&test).endpoint[0].port, 100);
    end(&test);
}

Test(flow_table, bounds_its_memory_by_the_cap)
{
    struct test_table test;
    test_table_init(&test, capped_policy(1000));
    size_t full = 0;
    for (uint32_t i = 0; i < 50000; i++) {
        struct packet syn = tcp_packet((uint8_t)(10 + i / 60000), (uint16_t)i, 5, 80, TCP_SYN, i * NS_PER_MS);
        feed(&test, &syn);
        if (i % 1000 == 999) { // a tick
            while (ended(&test) > 0)
                take(&test);
            tick(&test, i * NS_PER_MS);
            while (ended(&test) > 0)
                take(&test);
        }
        if (i == 5000)
            full = flow_table_bytes(&test.table);
    }
    cr_expect_leq(flow_table_bytes(&test.table), full + full / 20);
    end(&test);
}

// Interim records.

Test(flow_table, reports_long_flows_while_they_last)
{
    struct flow_policy policy = test_policy();
    policy.active_timeout_ns = 10 * NS_PER_S;
    struct test_table test;
    test_table_init(&test, policy);
    uint32_t records = 0;
    for (uint32_t second = 0; second <= 35; second++) {
        take_none(&test);
        feed_udp(&test, 1, 1000, second * NS_PER_S);
        if (ended(&test) == 0)
            continue;
        struct flow_record record = take(&test);
        cr_expect_eq(record.record_seq, records++);
        cr_expect(!record.final && record.reason == END_ACTIVE);
        cr_expect_eq(record.first_seen_ns, TEST_START_NS);
        cr_expect_eq(record.packets[0], 1 + second, "cumulative");
    }
    cr_expect_eq(records, 3);
    take_none(&test);
    finish(&test, 40 * NS_PER_S);
    struct flow_record last = take(&test);
    cr_expect(last.final && last.reason == END_RUN && last.record_seq == 3 && last.packets[0] == 36);
    cr_expect_eq(test.table.counts.ended[END_ACTIVE], 3);
    test_table_done(&test);
}

// In a tick that is longer than the timeout a flow has one interim record, which says it all.
Test(flow_table, reports_a_flow_once_a_tick)
{
    struct flow_policy policy = test_policy();
    policy.active_timeout_ns = 10 * NS_PER_S;
    struct test_table test;
    test_table_init(&test, policy);
    for (uint32_t second = 0; second <= 35; second++)
        feed_udp(&test, 1, 1000, second * NS_PER_S);
    cr_assert_eq(ended(&test), 1);
    struct flow_record record = take(&test);
    cr_expect(!record.final && record.packets[0] == 36);
    end(&test);
}

Test(flow_table, reports_what_the_flow_has_by_then)
{
    struct flow_policy policy = test_policy();
    policy.active_timeout_ns = 10 * NS_PER_S;
    struct test_table test;
    test_table_init(&test, policy);
    for (int second = 0; second <= 10; second++)
        feed_udp(&test, 1, 1000, second * NS_PER_S);
    cr_assert_eq(ended(&test), 1);
    struct flow_record record = take(&test);
    cr_expect_eq(record.packets[0], 11);
    cr_expect_eq(record.end_ns, TEST_START_NS + 10 * NS_PER_S);
    cr_expect_eq(flow_table_active(&test.table), 1);
    end(&test);
}

// Observation points.

static struct fed feed_at(struct test_table *test, uint8_t from, uint16_t interface, int64_t at_ns)
{
    struct packet packet = from == 1 ? udp_packet(1, 1000, 2, 53, at_ns) : udp_packet(2, 53, 1, 1000, at_ns);
    packet.interface = interface;
    return feed(test, &packet);
}

Test(flow_table, counts_a_direction_at_its_first_interface)
{
    struct flow_policy policy = test_policy();
    policy.observe_first = true;
    struct test_table test;
    test_table_init(&test, policy);
    for (int i = 0; i < 10; i++) {
        cr_expect_not(feed_at(&test, 1, 3, i * NS_PER_S).duplicate);
        struct fed again = feed_at(&test, 1, 4, i * NS_PER_S + 1);
        cr_expect(again.duplicate && again.second_sighting);
        cr_expect_not(feed_at(&test, 2, 4, i * NS_PER_S + 2).duplicate,
                      "the other direction has its own owner");
        cr_expect(feed_at(&test, 2, 3, i * NS_PER_S + 3).duplicate);
    }
    finish(&test, 10 * NS_PER_S);
    struct flow_record record = take(&test);
    cr_expect(record.packets[0] == 10 && record.packets[1] == 10);
    cr_expect_eq(record.interface, 3);
    cr_expect_eq(record.observed, 2);
    cr_expect(record.observed_at[0] == 4 && record.observed_at[1] == 3);
    test_table_done(&test);
}

Test(flow_table, moves_ownership_after_five_seconds_of_silence)
{
    struct flow_policy policy = test_policy();
    policy.observe_first = true;
    struct test_table test;
    test_table_init(&test, policy);
    feed_at(&test, 1, 3, 0);
    cr_expect(feed_at(&test, 1, 4, 4 * NS_PER_S).duplicate);
    cr_expect(feed_at(&test, 1, 4, 5 * NS_PER_S - 1).duplicate);
    cr_expect_not(feed_at(&test, 1, 4, 5 * NS_PER_S).duplicate, "the owner was silent for 5 s");
    cr_expect(feed_at(&test, 1, 3, 6 * NS_PER_S).duplicate, "it owns the direction no more");
    finish(&test, 7 * NS_PER_S);
    cr_expect_eq(take(&test).packets[0], 2);
    test_table_done(&test);
}

Test(flow_table, counts_every_sighting_when_told_so)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    feed_at(&test, 1, 3, 0);
    struct fed again = feed_at(&test, 1, 4, 1);
    cr_expect(again.second_sighting && !again.duplicate);
    finish(&test, NS_PER_S);
    struct flow_record record = take(&test);
    cr_expect_eq(record.packets[0], 2);
    cr_expect(record.observed == 1 && record.observed_at[0] == 4);
    test_table_done(&test);
}

// Measured on bridges without this: every second segment a "retransmission".
Test(flow_table, keeps_second_sightings_out_of_quality)
{
    struct flow_policy policy = test_policy();
    policy.observe_first = true;
    struct test_table test;
    test_table_init(&test, policy);
    for (uint32_t i = 0; i < 20; i++) {
        for (uint16_t interface = 0; interface < 3; interface++) {
            struct packet segment = tcp_packet(1, 40000, 2, 443, TCP_ACK, i * NS_PER_MS + interface);
            segment.tcp.sequence = 1000 + i * 100;
            segment.interface = interface;
            set_payload(&segment, 100);
            feed(&test, &segment);
        }
    }
    finish(&test, NS_PER_S);
    struct flow_record record = take(&test);
    cr_expect_eq(record.packets[0], 20);
    cr_expect_eq(record.retransmissions[0], 0);
    cr_expect_eq(record.observed, 2);
    test_table_done(&test);
}

// Who the client is.

static void expect_client(struct packet packet, int client, enum client_from from)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    feed(&test, &packet);
    finish(&test, NS_PER_S);
    struct flow_record record = take(&test);
    cr_expect_eq(record.client, client);
    cr_expect_eq(record.client_from, from);
    test_table_done(&test);
}

Test(flow_table, tells_the_client)
{
    expect_client(tcp_packet(2, 443, 1, 40000, TCP_SYN, 0), 1, CLIENT_SYN);
    expect_client(tcp_packet(2, 443, 1, 40000, TCP_SYN | TCP_ACK, 0), 0, CLIENT_SYN_ACK);
    expect_client(tcp_packet(2, 443, 1, 40000, TCP_ACK, 0), 0, CLIENT_PORT);
    expect_client(tcp_packet(1, 40000, 2, 443, TCP_ACK, 0), 0, CLIENT_PORT);
    expect_client(udp_packet(2, 53, 1, 40000, 0), 0, CLIENT_PORT);
    expect_client(udp_packet(2, 4000, 1, 4001, 0), 1, CLIENT_FIRST_PACKET);
    expect_client(icmp_packet(2, 1, 8, 0, 0), 1, CLIENT_FIRST_PACKET);
}

Test(flow_table, keeps_ipv6_and_ipv4_flows_side_by_side)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    for (int round = 0; round < 2; round++) {
        for (uint16_t port = 1; port <= 2000; port++) {
            struct packet packet = udp_packet(1, port, 2, 53, round);
            if (port % 2 == 0) {
                packet.source = host_v6(1);
                packet.target = host_v6(2);
            }
            cr_assert_eq(feed(&test, &packet).created, round == 0);
        }
    }
    cr_expect_eq(flow_table_active(&test.table), 2000);
    end(&test);
}

Test(flow_table, frees_what_was_never_taken_off_it)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    for (uint16_t port = 0; port < 1000; port++)
        feed_udp(&test, 1, port, port * NS_PER_MS);
    test_table_done(&test);
}

// XXH3 multiplies an address's halves with words that a known seed gives away: an address whose first half makes one of
// the factors zero hides four bytes of the second. All of a seed's hash is the same for these flows then.
static struct packet colliding_packet(uint64_t seed, uint32_t number)
{
    static const uint64_t first_word = UINT64_C(0xbe4ba423396cfeb8); // of XXH3's secret
    uint64_t zero_factor = first_word + seed;
    uint8_t source[16] = {0}, target[16];
    memset(target, 0xff, sizeof target); // the greater endpoint
    memcpy(source, &zero_factor, sizeof zero_factor);
    memcpy(source + 8, &number, sizeof number);
    struct packet packet = udp_packet(1, 1000, 2, 53, 0);
    packet.source = address_v6(source);
    packet.target = address_v6(target);
    return packet;
}

static unsigned longest_chain(const struct flow_index *index)
{
    unsigned longest = 0;
    for (uint32_t number = 0; number < index->buckets; number++) {
        unsigned length = 1;
        const struct index_bucket *bucket = flow_index_bucket(index, number);
        for (; bucket->overflow != 0; length++)
            bucket = slab_at(&index->overflow, bucket->overflow);
        longest = length > longest ? length : longest;
    }
    return longest;
}

// The seed that files have is public.
Test(flow_table, spreads_flows_made_for_a_known_seed)
{
    enum { FLOWS = 20000, CHAIN = 4 };
    struct test_table test;
    test_table_init(&test, test_policy());
    uint64_t seed = test.policy.hash_seed, first = 0;
    for (uint32_t number = 0; number < FLOWS; number++) {
        struct packet packet = colliding_packet(seed, number);
        struct flow_key key;
        uint8_t sender;
        cr_assert(flow_key_of_packet(&packet, &key, &sender));
        first = number == 0 ? flow_key_hash(&key, seed) : first;
        cr_assert_eq(flow_key_hash(&key, seed), first, "flow %u is not as it was made", number);
        cr_assert(feed(&test, &packet).created);
    }
    cr_expect_leq(longest_chain(&test.table.index), CHAIN, "%u buckets", longest_chain(&test.table.index));
    end(&test);
}

// A burst is spread over ticks: late by some of them, with the same ends, and nothing is left behind.
Test(flow_table, a_burst_of_ends_is_paced)
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

Test(flow_table, a_burst_of_ends_waits_for_who_lags)
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
Test(flow_table, a_flow_that_waits_for_its_end_is_over)
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
