#include "table_steps.h"

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

// Of a datagram in parts the last one has the header: what came before is no first word.
Test(flow_table, tells_the_client_by_a_syn_in_parts)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    struct packet part = tcp_packet(2, 40000, 1, 40001, 0, 0),
                  syn = tcp_packet(2, 40000, 1, 40001, TCP_SYN, 1),
                  answer = tcp_packet(1, 40001, 2, 40000, TCP_SYN | TCP_ACK, 12000001);
    part.has_transport = false;
    syn.tcp.sequence = 1000;
    answer.tcp.acknowledgement = 1001;
    feed(&test, &part);
    feed(&test, &part);
    feed(&test, &syn);
    feed(&test, &answer);
    finish(&test, NS_PER_S);
    struct flow_record record = take(&test);
    cr_expect_eq(record.client, 1);
    cr_expect_eq(record.client_from, CLIENT_SYN);
    cr_expect_eq(record.tcp_state, TCP_STATE_SYN_ACK);
    cr_expect_eq(record.retransmissions[1], 0);
    test_table_done(&test);
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
