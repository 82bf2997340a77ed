#include <stdio.h>
#include <stdlib.h>

#include "flow/names.h"
#include "packets.h"

static void name_flow(struct test_table *test, struct flow *flow, const char *sni)
{
    struct tls_hello hello = {.sni_status = SNI_COMPLETE, .version = 0x0304};
    snprintf(hello.sni, sizeof hello.sni, "%s", sni);
    flow_note_tls(&test->table, flow, &hello);
}

// End time first, then the key.
Test(ended_list, is_in_the_order_of_the_outputs)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    const uint16_t ports[] = {500, 100, 300, 200, 400};
    for (unsigned i = 0; i < 5; i++) {
        struct packet packet = udp_packet(1, ports[i], 2, 53, 0);
        feed(&test, &packet);
    }
    struct packet tcp = tcp_packet(9, 1, 8, 2, TCP_SYN, 0), early = udp_packet(7, 9999, 6, 9999, -NS_PER_S);
    feed(&test, &tcp);
    feed(&test, &early);
    tick(&test, 62 * NS_PER_S);
    cr_assert_eq(ended(&test), 7);
    cr_expect_eq(take(&test).endpoint[0].port, 9999, "ended a second before");
    cr_expect_eq(take(&test).protocol, IP_PROTOCOL_TCP);
    for (uint16_t port = 100; port <= 500; port += 100)
        cr_expect_eq(take(&test).endpoint[0].port, port);
    test_table_done(&test);
}

// One five-tuple used again and again within one stamp: nothing in the records tells them apart but their order.
Test(ended_list, keeps_the_order_of_flows_that_are_alike)
{
    enum { REUSES = 300 };
    struct test_table test;
    test_table_init(&test, test_policy());
    for (uint32_t i = 0; i < REUSES; i++) {
        struct packet syn = tcp_packet(1, 40000, 2, 443, TCP_SYN, 0),
                      reset = tcp_packet(2, 443, 1, 40000, TCP_RST, 0);
        syn.tcp.sequence = 1000 * i;
        set_payload(&syn, i);
        feed(&test, &syn);
        feed(&test, &reset);
    }
    finish(&test, 0);
    for (uint32_t i = 0; i < REUSES; i++)
        cr_assert_eq(take(&test).bytes[0], HEADERS_BYTES + i, "record %u", i);
    test_table_done(&test);
}

// Flows that end at once come in the order of their keys from however many partitions hold them.
Test(ended_list, merges_what_the_partitions_end)
{
    enum { PORTS = 5000 };
    struct test_table test;
    test_table_init(&test, test_policy());
    for (uint16_t i = 0; i < PORTS; i++) {
        struct packet packet = udp_packet(1, (uint16_t)(1 + i * 7919 % PORTS), 2, 53, 0);
        feed(&test, &packet);
    }
    finish(&test, 0);
    cr_expect_gt(test.table.ended.run_count, 32, "%u runs", test.table.ended.run_count);
    for (uint16_t port = 1; port <= PORTS; port++)
        cr_assert_eq(take(&test).endpoint[0].port, port);
    test_table_done(&test);
}

// What makes room all lands in one run, however it is spread over time: on either side of where sorting by digits
// begins, with times that differ in the lowest digit, in one above it, in many, and in none.
Test(ended_list, sorts_runs_of_any_length_and_spread)
{
    static const unsigned lengths[] = {2, 63, 64, 65, 66, 1000, 5000};
    static const int64_t spreads_ns[] = {1, 2, 2048, 3 * NS_PER_S, 100 * NS_PER_S};
    enum { CAP = 16 };
    srand(7);
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (unsigned j = 0; j < sizeof spreads_ns / sizeof spreads_ns[0]; j++) {
            struct flow_policy policy = test_policy();
            policy.max_flows = CAP;
            struct test_table test;
            test_table_init(&test, policy);
            for (unsigned n = 0; n < lengths[i] + CAP; n++) {
                int64_t at_ns = ((int64_t)rand() << 16 ^ rand()) % spreads_ns[j];
                struct packet packet = udp_packet(1, (uint16_t)(1 + n * 7919 % 65521), 2, 53, at_ns);
                feed(&test, &packet);
            }
            cr_assert_eq(ended(&test), lengths[i]);
            cr_expect_eq(test.table.ended.run_count, 1);
            struct flow_record before = take(&test);
            while (ended(&test) > 0) {
                struct flow_record record = take(&test);
                cr_assert_lt(flow_record_compare(&before, &record), 0, "%u flows over %ld ns", lengths[i],
                             spreads_ns[j]);
                before = record;
            }
            test_table_done(&test);
        }
    }
}

Test(flow_record, compares_as_the_list_sorts)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    for (uint16_t i = 0; i < 300; i++) {
        struct packet packet =
            udp_packet((uint8_t)(1 + i % 5), (uint16_t)(i * 7919 % 50), 9, (uint16_t)(i % 3), 0);
        if (i % 2 == 0) {
            packet.source = host_v6((uint8_t)(1 + i % 5));
            packet.target = host_v6(9);
        }
        if (i % 7 == 0)
            packet.tunnel = (struct packet_tunnel){.kind = TUNNEL_VXLAN, .id = i % 4u};
        set_time(&packet, i % 4 * NS_PER_S);
        feed(&test, &packet);
    }
    tick(&test, 100 * NS_PER_S);
    struct flow_record before = take(&test);
    while (ended(&test) > 0) {
        struct flow_record record = take(&test);
        cr_assert_lt(flow_record_compare(&before, &record), 0);
        cr_assert_gt(flow_record_compare(&record, &before), 0);
        before = record;
    }
    test_table_done(&test);
}

// After the end of the run the index knows none of the flows, and takes new ones.
Test(ended_list, leaves_an_empty_table_at_the_end_of_the_run)
{
    enum { FLOWS = 3000 };
    struct test_table test;
    test_table_init(&test, test_policy());
    for (unsigned round = 0; round < 2; round++) {
        for (uint16_t i = 0; i < FLOWS; i++) {
            struct packet packet = udp_packet(1, (uint16_t)(1 + i), 2, 53, 0);
            cr_assert(feed(&test, &packet).created, "round %u, flow %u", round, i);
        }
        cr_assert_eq(flow_table_active(&test.table), FLOWS);
        finish(&test, 0);
        cr_expect_eq(flow_table_active(&test.table), 0);
        for (unsigned i = 0; i < FLOWS; i++)
            cr_assert_eq(take(&test).reason, END_RUN);
        take_none(&test);
    }
    test_table_done(&test);
}

Test(flow_record, says_what_the_first_packet_said)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    struct packet packet = tcp_packet(2, 443, 1, 40000, TCP_SYN | TCP_ACK, 7);
    packet.vlans = 2;
    packet.vlan[0] = 100;
    packet.vlan[1] = 200;
    packet.interface = 3;
    packet.tunnel =
        (struct packet_tunnel){.kind = TUNNEL_VXLAN, .id = 4711, .source = host(8), .target = host(9)};
    feed(&test, &packet);
    finish(&test, NS_PER_S);
    struct flow_record record = take(&test);
    cr_expect_eq(record.protocol, IP_PROTOCOL_TCP);
    cr_expect_eq(address_compare(&record.endpoint[0].address, &(struct address){0}) > 0, 1);
    struct address a = host(1), b = host(2), outer = host(8);
    cr_expect_eq(address_compare(&record.endpoint[0].address, &a), 0);
    cr_expect_eq(address_compare(&record.endpoint[1].address, &b), 0);
    cr_expect(record.endpoint[0].port == 40000 && record.endpoint[1].port == 443);
    cr_expect(record.has_vlan && record.vlan == 100);
    cr_expect_eq(record.interface, 3);
    cr_expect(record.tunnel.kind == TUNNEL_VXLAN && record.tunnel.id == 4711);
    cr_expect_eq(address_compare(&record.tunnel.source, &outer), 0);
    cr_expect(record.tcp_flags[0] == 0 && record.tcp_flags[1] == (TCP_SYN | TCP_ACK));
    cr_expect(record.has_quality && record.handshake_rtt_ns < 0 && record.names == NULL);
    test_table_done(&test);
}

Test(flow_record, of_other_protocols_has_no_tcp_state)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    struct packet packet = udp_packet(1, 1000, 2, 53, 0);
    feed(&test, &packet);
    finish(&test, 0);
    struct flow_record record = take(&test);
    cr_expect_eq(record.tcp_state, TCP_STATE_NONE);
    cr_expect(!record.has_vlan && record.tunnel.kind == TUNNEL_NONE && record.observed == 0);
    test_table_done(&test);
}

// The compact record: all three analyses off.
Test(flow_record, in_scale_mode_has_no_quality)
{
    struct flow_policy policy = test_policy();
    policy.rtt = policy.retransmissions = policy.out_of_order = false;
    struct test_table test;
    test_table_init(&test, policy);
    for (int i = 0; i < 3; i++) {
        struct packet packet = tcp_packet(1, 40000, 2, 443, TCP_ACK, i);
        set_payload(&packet, 100); // the same data again and again
        feed(&test, &packet);
    }
    cr_expect_eq(slab_bytes(&test.table.store.quality), 0);
    finish(&test, 0);
    struct flow_record record = take(&test);
    cr_expect_not(record.has_quality);
    cr_expect(record.retransmissions[0] == 0 && record.rtt_far.samples == 0 && record.handshake_rtt_ns < 0);
    cr_expect_eq(record.tcp_state, TCP_STATE_ESTABLISHED, "the state is tracked all the same");
    test_table_done(&test);
}

// Records carry the packets' own stamps, also behind a clock that stepped back.
Test(flow_record, takes_the_clocks_offset_off)
{
    enum { OFFSET_S = 1000 };
    struct test_table test;
    test_table_init(&test, test_policy());
    for (int second = 0; second <= 2; second++) {
        struct packet packet = udp_packet(1, 1000, 2, 53, second * NS_PER_S);
        packet.clock_offset_ns = OFFSET_S * NS_PER_S;
        packet.now_ns += OFFSET_S * NS_PER_S;
        feed(&test, &packet);
    }
    tick(&test, (OFFSET_S + 2 + 62) * NS_PER_S);
    struct flow_record record = take(&test);
    cr_expect_eq(record.first_seen_ns, TEST_START_NS);
    cr_expect_eq(record.last_seen_ns, TEST_START_NS + 2 * NS_PER_S);
    cr_expect_eq(record.end_ns, TEST_START_NS + 62 * NS_PER_S);
    cr_expect_eq(record.reason, END_TIMEOUT);
    test_table_done(&test);
}

Test(flow_record, owns_its_names)
{
    struct flow_policy policy = test_policy();
    policy.active_timeout_ns = NS_PER_S;
    struct test_table test;
    test_table_init(&test, policy);
    struct packet packet = tcp_packet(1, 40000, 2, 443, TCP_ACK, 0);
    name_flow(&test, feed(&test, &packet).flow, "one.example");
    set_time(&packet, 2 * NS_PER_S);
    feed(&test, &packet);
    cr_expect_geq(flow_store_bytes(&test.table.store), sizeof(struct flow_names));
    finish(&test, 3 * NS_PER_S);
    cr_assert_eq(ended(&test), 2);
    struct flow_record interim = take(&test), last = take(&test);
    test_table_done(&test); // the records outlive the table
    cr_expect(interim.names != NULL && last.names != NULL && interim.names != last.names);
    cr_expect_str_eq(interim.names->text[FLOW_TEXT_SNI], "one.example");
    cr_expect_str_eq(last.names->text[FLOW_TEXT_SNI], "one.example");
    cr_expect_eq(last.facts.sni_status, SNI_COMPLETE);
    flow_names_free(interim.names);
    flow_names_free(last.names);
}

Test(flow_record, gives_the_flows_memory_back)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    struct packet packet = tcp_packet(1, 40000, 2, 443, TCP_ACK, 0);
    packet.tunnel = (struct packet_tunnel){.kind = TUNNEL_GRE};
    name_flow(&test, feed(&test, &packet).flow, "one.example");
    finish(&test, 0);
    flow_names_free(take(&test).names);
    const struct flow_store *store = &test.table.store;
    cr_expect_eq(store->v4.slab.used + store->v6.slab.used + store->quality.used + store->trouble.used +
                     store->extra.used,
                 0);
    cr_expect_eq(store->names_bytes, 0);
    test_table_done(&test);
}
