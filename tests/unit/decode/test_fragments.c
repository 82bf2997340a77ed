#include "decode/fragments.h"

#include "base/time.h"
#include "decode/app/dns.h"
#include "wire.h"

static struct packet fragment_of(unsigned number, int64_t now_ns)
{
    struct packet packet = wire_decode_capture("fragments.pcap", number);
    packet.now_ns = now_ns;
    return packet;
}

Test(fragments, later_ones_get_the_ports_of_the_first)
{
    struct fragments *fragments = fragments_create(64, 1);
    struct packet first = fragment_of(1, 0);
    fragments_apply(fragments, &first);
    for (unsigned number = 2; number <= 11; number++) {
        struct packet later = fragment_of(number, NS_PER_S);
        fragments_apply(fragments, &later);
        expect_flow(&later, "172.16.133.54:64415", "216.137.33.81:80");
        cr_expect_not(later.has_transport);
    }
    fragments_destroy(fragments);
}

Test(fragments, without_a_first_there_are_no_ports)
{
    struct fragments *fragments = fragments_create(64, 1);
    struct packet later = fragment_of(2, 0);
    fragments_apply(fragments, &later);
    cr_expect_not(later.ports_known);
    fragments_destroy(fragments);
}

Test(fragments, another_datagram_is_told_apart)
{
    struct fragments *fragments = fragments_create(64, 1);
    struct packet first = fragment_of(1, 0);
    fragments_apply(fragments, &first);
    struct packet other = fragment_of(2, 0);
    other.fragment_id++;
    fragments_apply(fragments, &other);
    cr_expect_not(other.ports_known);
    other = fragment_of(2, 0);
    other.ip_protocol = other.fragment_protocol = IP_PROTOCOL_UDP;
    fragments_apply(fragments, &other);
    cr_expect_not(other.ports_known);
    fragments_destroy(fragments);
}

Test(fragments, expire_after_thirty_seconds)
{
    struct fragments *fragments = fragments_create(64, 1);
    struct packet first = fragment_of(1, 0);
    fragments_apply(fragments, &first);
    struct packet later = fragment_of(2, 30 * NS_PER_S);
    fragments_apply(fragments, &later);
    cr_expect(later.ports_known);
    later = fragment_of(2, 30 * NS_PER_S + 1);
    fragments_apply(fragments, &later);
    cr_expect_not(later.ports_known);
    fragments_destroy(fragments);
}

Test(fragments, ipv6_gets_the_transport_too)
{
    struct fragments *fragments = fragments_create(64, 1);
    struct packet first = wire_decode(
        LINK_RAW,
        IPV6_HEADER("0018", "2c") "3c00 0001 cafe0001 1100010400000000" UDP_HEADER("1000", "2000", "0100"));
    first.now_ns = 5;
    fragments_apply(fragments, &first);
    struct packet later =
        wire_decode(LINK_RAW, IPV6_HEADER("0010", "2c") "3c00 0010 cafe0001 0000000000000000");
    later.now_ns = 6;
    fragments_apply(fragments, &later);
    expect_flow(&later, "[2001:db8::1]:4096", "[2001:db8::2]:8192");
    cr_expect_eq(later.ip_protocol, IP_PROTOCOL_UDP);
    fragments_destroy(fragments);
}

// More datagrams than the table holds: the newest of a set stay, the oldest go.
Test(fragments, the_oldest_is_replaced)
{
    struct fragments *fragments = fragments_create(4, 1);
    struct packet first = fragment_of(1, 0);
    for (uint32_t id = 0; id < 6; id++) {
        first.fragment_id = id;
        first.now_ns = id;
        fragments_apply(fragments, &first);
    }
    struct packet later = fragment_of(2, 10);
    for (uint32_t id = 6; id-- > 0;) { // what is not known takes the place of what is
        later.fragment_id = id;
        later.ports_known = false;
        fragments_apply(fragments, &later);
        cr_expect_eq(later.ports_known, id >= 2, "%u", id);
    }
    fragments_destroy(fragments);
}

Test(fragments, whole_packets_pass)
{
    struct fragments *fragments = fragments_create(4, 1);
    struct packet packet = wire_decode_capture("gre.pcap", 1);
    fragments_apply(fragments, &packet);
    expect_flow(&packet, "10.20.0.1:44444", "10.20.0.2:80");
    fragments_destroy(fragments);
    fragments_destroy(NULL);
}
