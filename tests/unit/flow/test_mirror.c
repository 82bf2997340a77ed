#include "table_steps.h"

static struct test_table test;

static void begin(bool observe_first)
{
    struct flow_policy policy = test_policy();
    policy.observe_first = observe_first;
    test_table_init(&test, policy);
}

// From 10.0.0.1 to 10.0.0.2 or back; `kind` none: outside.
static struct packet packet_of(bool back, enum tunnel_kind kind, uint32_t id, int64_t at_ns)
{
    struct packet packet = back ? udp_packet(2, 53, 1, 1000, at_ns) : udp_packet(1, 1000, 2, 53, at_ns);
    if (kind != TUNNEL_NONE)
        packet.tunnel = (struct packet_tunnel){.kind = (uint8_t)kind,
                                               .id = id,
                                               .source = back ? host(9) : host(8),
                                               .target = back ? host(8) : host(9)};
    return packet;
}

static struct fed feed_form(bool back, enum tunnel_kind kind, uint32_t id, uint16_t interface)
{
    static int64_t at_ns;
    struct packet packet = packet_of(back, kind, id, at_ns++);
    packet.interface = interface;
    return feed(&test, &packet);
}

// The only flow, with so many packets a direction.
static struct flow_record the_flow(uint64_t there, uint64_t back)
{
    finish(&test, NS_PER_S);
    struct flow_record record = take(&test);
    cr_expect(record.packets[0] == there && record.packets[1] == back, "%lu and %lu packets",
              (unsigned long)record.packets[0], (unsigned long)record.packets[1]);
    test_table_done(&test); // nothing more
    return record;
}

static void expect_flows(unsigned count)
{
    cr_expect_eq(flow_table_active(&test.table), count, "%u flows", flow_table_active(&test.table));
    finish(&test, NS_PER_S);
    while (ended(&test) > 0)
        take(&test);
    flow_table_done(&test.table);
}

Test(mirror, an_id_a_direction_is_one_flow_and_both_are_told)
{
    static const enum tunnel_kind kinds[] = {TUNNEL_GTP_U, TUNNEL_GRE, TUNNEL_ERSPAN};
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        begin(false);
        for (int round = 0; round < 3; round++) {
            feed_form(false, kinds[i], 7, 0);
            feed_form(true, kinds[i], 9, 0);
        }
        struct flow_record record = the_flow(3, 3);
        cr_expect(record.tunnel.kind == kinds[i] && record.tunnel.id == 7);
        cr_expect(record.tunnel.two_ids && record.tunnel.peer_id == 9);
    }
}

Test(mirror, other_outer_endpoints_are_another_flow)
{
    begin(false);
    feed_form(false, TUNNEL_GTP_U, 7, 0);
    struct packet other = packet_of(true, TUNNEL_GTP_U, 7, 5);
    other.tunnel.source = host(10);
    cr_expect(feed(&test, &other).created);
    expect_flows(2);
}

Test(mirror, halves_with_two_ids_join)
{
    begin(false);
    for (int round = 0; round < 3; round++) {
        feed_form(false, TUNNEL_GENEVE, 7, 0);
        feed_form(true, TUNNEL_GENEVE, 9, 0);
    }
    struct flow_record record = the_flow(3, 3);
    cr_expect(record.tunnel.id == 7 && record.tunnel.two_ids && record.tunnel.peer_id == 9);
}

Test(mirror, what_has_both_ways_joins_nothing)
{
    begin(false);
    for (uint32_t id = 7; id < 10; id++) { // tenants with the same addresses
        feed_form(false, TUNNEL_VXLAN, id, 0);
        feed_form(true, TUNNEL_VXLAN, id, 0);
    }
    expect_flows(3);
}

Test(mirror, a_half_is_joined_once)
{
    begin(false);
    feed_form(false, TUNNEL_VXLAN, 7, 0);
    feed_form(true, TUNNEL_VXLAN, 9, 0);
    cr_expect(feed_form(true, TUNNEL_VXLAN, 11, 0).created);
    cr_expect_not(feed_form(true, TUNNEL_VXLAN, 9, 0).created);
    expect_flows(2);
}

Test(mirror, one_way_inside_and_the_other_outside)
{
    for (int inside_first = 0; inside_first < 2; inside_first++) {
        begin(false);
        for (int round = 0; round < 3; round++) {
            feed_form(false, inside_first ? TUNNEL_VXLAN : TUNNEL_NONE, 7, 0);
            feed_form(true, inside_first ? TUNNEL_NONE : TUNNEL_VXLAN, 7, 0);
        }
        struct flow_record record = the_flow(3, 3);
        cr_expect(record.tunnel.kind == TUNNEL_VXLAN && record.tunnel.id == 7 && !record.tunnel.two_ids);
    }
}

Test(mirror, every_sighting_counts_for_itself_when_told_so)
{
    begin(false);
    for (int round = 0; round < 3; round++) {
        feed_form(false, TUNNEL_NONE, 0, 1);
        feed_form(false, TUNNEL_VXLAN, 7, 2);
        feed_form(true, TUNNEL_VXLAN, 7, 2);
        feed_form(true, TUNNEL_NONE, 0, 1);
    }
    expect_flows(2);
}

// A node: what leaves is seen plain first, what comes inside first.
Test(mirror, a_connection_inside_and_outside_counts_once)
{
    for (int coming_first = 0; coming_first < 2; coming_first++) {
        begin(true);
        for (int round = 0; round < 3; round++) {
            for (int back = coming_first; back <= 1 && back >= 0; back += coming_first ? -1 : 1) {
                cr_expect_not(feed_form(back, back ? TUNNEL_VXLAN : TUNNEL_NONE, 7, back ? 2 : 1).duplicate);
                cr_expect(feed_form(back, back ? TUNNEL_NONE : TUNNEL_VXLAN, 7, back ? 1 : 2).duplicate);
            }
        }
        struct flow_record record = the_flow(3, 3);
        cr_expect(record.tunnel.kind == TUNNEL_VXLAN && record.tunnel.id == 7);
        cr_expect_eq(record.observed, 2);
        cr_expect_eq(address_compare(&record.tunnel.source, &(struct address){.version = 4}) > 0, true);
    }
}

Test(mirror, on_one_interface_both_forms_are_two_flows)
{
    begin(true);
    feed_form(false, TUNNEL_NONE, 0, 1);
    cr_expect(feed_form(false, TUNNEL_VXLAN, 7, 1).created);
    expect_flows(2);
}

Test(mirror, a_new_connection_of_another_form_ends_the_old_one)
{
    begin(true);
    struct packet syn = tcp_packet(1, 1000, 2, 80, TCP_SYN, 0);
    syn.tunnel = packet_of(false, TUNNEL_VXLAN, 7, 0).tunnel;
    feed(&test, &syn);
    struct packet reset = tcp_packet(2, 80, 1, 1000, TCP_RST | TCP_ACK, 1);
    feed(&test, &reset); // outside, on another interface or not: the direction is new
    struct packet again = tcp_packet(1, 1000, 2, 80, TCP_SYN, NS_PER_S);
    again.tcp.sequence = 5000;
    again.interface = 1;
    cr_expect(feed(&test, &again).created);
    cr_expect_eq(flow_table_active(&test.table), 1);
    cr_expect_eq(test.table.mirrors.entries, 0);
    expect_flows(1);
}

Test(mirror, the_second_index_is_bounded_and_empties)
{
    begin(false);
    enum { TENANTS = 1000 };
    for (uint32_t id = 1; id <= TENANTS; id++)
        feed_form(false, TUNNEL_VXLAN, id, 0);
    cr_expect_eq(flow_table_active(&test.table), TENANTS);
    cr_expect_leq(test.table.mirrors.entries, 8);
    cr_expect_gt(test.table.mirrors.entries, 0);
    tick(&test, 200 * NS_PER_S);
    cr_expect_eq(test.table.mirrors.entries, 0);
    expect_flows(0);
}

// A connection on a pod's interface and inside on the node's, another id each way, the node's copy first.
Test(mirror, halves_inside_join_each_other_before_a_plain_flow)
{
    for (uint16_t node = 1; node <= 2; node++) {
        begin(false);
        for (int round = 0; round < 3; round++) {
            feed_form(false, TUNNEL_VXLAN, 7, node);
            feed_form(false, TUNNEL_NONE, 0, 1);
            feed_form(true, TUNNEL_VXLAN, 9, node);
            feed_form(true, TUNNEL_NONE, 0, 1);
        }
        finish(&test, NS_PER_S);
        for (int flow = 0; flow < 2; flow++) {
            struct flow_record record = take(&test);
            cr_expect(record.packets[0] == 3 && record.packets[1] == 3);
            cr_expect_eq(record.tunnel.two_ids, record.tunnel.kind != TUNNEL_NONE);
        }
        test_table_done(&test);
    }
}

Test(mirror, forms_of_two_interfaces_join_only_where_the_first_counts)
{
    for (int first = 0; first < 2; first++) {
        begin(first);
        feed_form(false, TUNNEL_NONE, 0, 1);
        cr_expect_eq(feed_form(true, TUNNEL_VXLAN, 9, 2).created, !first);
        expect_flows(first ? 1 : 2);
    }
}

// One after the other, with the same endpoints.
static void begin_tenants(uint32_t first, uint32_t second)
{
    begin(false);
    feed_form(false, TUNNEL_VXLAN, first, 0);
    feed_form(false, TUNNEL_VXLAN, second, 0);
}

static void expect_answers(uint32_t id, unsigned answers)
{
    finish(&test, NS_PER_S);
    while (ended(&test) > 0) {
        struct flow_record record = take(&test);
        cr_expect_eq(record.packets[1], record.tunnel.id == id ? answers : 0, "id %u", record.tunnel.id);
    }
    flow_table_done(&test.table);
}

Test(mirror, an_answer_is_of_the_flow_that_was_seen_last)
{
    begin_tenants(1, 2);
    feed_form(true, TUNNEL_NONE, 0, 0);
    expect_answers(2, 1);
    begin_tenants(2, 1);
    feed_form(true, TUNNEL_NONE, 0, 0);
    expect_answers(1, 1);
}

Test(mirror, answers_stay_with_the_flow_that_has_the_first)
{
    static const enum tunnel_kind forms[] = {TUNNEL_NONE, TUNNEL_VXLAN};
    for (int form = 0; form < 2; form++) {
        begin_tenants(1, 2);
        feed_form(true, forms[form], 9, 0);
        feed_form(false, TUNNEL_VXLAN, 1, 0);
        feed_form(true, forms[form], 9, 0);
        expect_answers(2, 2);
    }
}
