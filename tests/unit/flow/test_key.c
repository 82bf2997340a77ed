#include "flow/key.h"

#include "packets.h"

static struct flow_key key_of(const struct packet *packet, uint8_t *sender)
{
    struct flow_key key;
    memset(&key, 0xa5, sizeof key); // what it does not write shows
    cr_assert(flow_key_of_packet(packet, &key, sender));
    return key;
}

static void expect_one_flow(const struct packet *there, const struct packet *back)
{
    uint8_t sender, answerer;
    struct flow_key key = key_of(there, &sender), other = key_of(back, &answerer);
    cr_expect_arr_eq(&key, &other, sizeof key);
    cr_expect_neq(sender, answerer);
    cr_expect_eq(flow_key_hash(&key, 5), flow_key_hash(&other, 5));
}

static void expect_two_flows(const struct packet *one, const struct packet *two)
{
    uint8_t sender;
    struct flow_key key = key_of(one, &sender), other = key_of(two, &sender);
    cr_expect_arr_neq(&key, &other, sizeof key);
    cr_expect_neq(flow_key_hash(&key, 5), flow_key_hash(&other, 5));
    cr_expect_neq(flow_key_compare(&key, &other), 0);
    cr_expect_eq(flow_key_compare(&key, &other) < 0, flow_key_compare(&other, &key) > 0);
}

Test(flow_key, has_the_smaller_endpoint_first)
{
    struct packet packet = udp_packet(9, 1000, 2, 53, 0);
    uint8_t sender;
    struct flow_key key = key_of(&packet, &sender);
    cr_expect_eq(sender, 1);
    cr_expect_arr_eq(key.addresses[0], host(2).bytes, 16);
    cr_expect_arr_eq(key.addresses[1], host(9).bytes, 16);
    cr_expect(key.ports[0] == 53 && key.ports[1] == 1000);
    cr_expect_eq(key.ip_version, 4);
}

Test(flow_key, orders_by_port_within_one_address)
{
    struct packet there = udp_packet(1, 5000, 1, 53, 0), back = udp_packet(1, 53, 1, 5000, 0);
    expect_one_flow(&there, &back);
    uint8_t sender;
    cr_expect_eq(key_of(&there, &sender).ports[0], 53);
    cr_expect_eq(sender, 1);
}

Test(flow_key, is_one_for_both_directions)
{
    struct packet there = tcp_packet(1, 40000, 2, 443, TCP_SYN, 0),
                  back = tcp_packet(2, 443, 1, 40000, TCP_ACK, 0);
    expect_one_flow(&there, &back);
    there.source = back.target = host_v6(7);
    there.target = back.source = host_v6(3);
    expect_one_flow(&there, &back);
}

Test(flow_key, tells_protocols_ports_and_versions_apart)
{
    struct packet base = udp_packet(1, 1000, 2, 53, 0);
    struct packet other = udp_packet(1, 1001, 2, 53, 0);
    expect_two_flows(&base, &other);
    other = udp_packet(1, 53, 2, 1000, 0); // the ports at the other ends
    expect_two_flows(&base, &other);
    other = tcp_packet(1, 1000, 2, 53, TCP_SYN, 0);
    expect_two_flows(&base, &other);
    other = base; // the same bytes as IPv6 addresses
    other.source.version = other.target.version = 6;
    expect_two_flows(&base, &other);
}

Test(flow_key, holds_the_tunnel)
{
    struct packet plain = udp_packet(1, 1000, 2, 53, 0), first = plain, second = plain;
    first.tunnel = (struct packet_tunnel){.kind = TUNNEL_VXLAN, .id = 1};
    second.tunnel = (struct packet_tunnel){.kind = TUNNEL_VXLAN, .id = 2};
    expect_two_flows(&plain, &first);
    expect_two_flows(&first, &second);
    second.tunnel = (struct packet_tunnel){.kind = TUNNEL_GENEVE, .id = 1};
    expect_two_flows(&first, &second);
    plain.tunnel.id = 77; // without a kind the id means nothing
    struct packet bare = udp_packet(2, 53, 1, 1000, 0);
    expect_one_flow(&plain, &bare);
}

Test(flow_key, pairs_icmp_requests_with_replies)
{
    struct packet request = icmp_packet(1, 2, 8, 0, 0), reply = icmp_packet(2, 1, 0, 0, 0);
    expect_one_flow(&request, &reply);
    struct packet unreachable = icmp_packet(2, 1, 3, 1, 0);
    expect_two_flows(&request, &unreachable);
    struct packet from_other_side = icmp_packet(1, 2, 3, 1, 0); // one-way: not its answer
    expect_two_flows(&unreachable, &from_other_side);
}

Test(flow_key, has_no_ports_without_transport)
{
    struct packet fragment = udp_packet(1, 1000, 2, 53, 0), other = udp_packet(2, 7, 1, 8, 0);
    fragment.ports_known = other.ports_known = false;
    expect_one_flow(&fragment, &other);
    struct packet gre = ip_packet(IP_PROTOCOL_GRE, 1, 2, 0), esp = ip_packet(IP_PROTOCOL_ESP, 1, 2, 0);
    expect_two_flows(&gre, &esp);
}

Test(flow_key, is_refused_for_what_is_not_ip)
{
    struct packet arp = {.is_arp = true};
    struct flow_key key;
    uint8_t sender;
    cr_expect_not(flow_key_of_packet(&arp, &key, &sender));
}

Test(flow_key, hash_depends_on_the_seed_and_spreads_neighbours)
{
    unsigned partitions[64] = {0};
    for (uint16_t port = 0; port < 6400; port++) {
        struct packet packet = udp_packet(1, port, 2, 53, 0);
        uint8_t sender;
        struct flow_key key = key_of(&packet, &sender);
        cr_assert_neq(flow_key_hash(&key, 5), flow_key_hash(&key, 6));
        partitions[flow_key_hash(&key, 5) >> 58]++;
    }
    for (unsigned p = 0; p < 64; p++)
        cr_expect(partitions[p] > 50 && partitions[p] < 150, "partition %u has %u of 100", p, partitions[p]);
}

// Order of the outputs: protocol, endpoint A, endpoint B, tunnel.
Test(flow_key, compares_protocol_first_then_endpoints)
{
    uint8_t sender;
    struct packet tcp = tcp_packet(9, 9, 8, 8, 0, 0), udp = udp_packet(1, 1, 2, 2, 0);
    struct flow_key low = key_of(&tcp, &sender), high = key_of(&udp, &sender);
    cr_expect_lt(flow_key_compare(&low, &high), 0);
    struct packet port = udp_packet(1, 2, 2, 1, 0);
    low = high;
    high = key_of(&port, &sender);
    cr_expect_lt(flow_key_compare(&low, &high), 0, "A's port before B's address");
    cr_expect_eq(flow_key_compare(&low, &low), 0);
}
