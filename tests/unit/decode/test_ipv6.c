#include "wire.h"

#define UDP UDP_HEADER("1000", "2000", "0008")

Test(ipv6, of_a_capture)
{
    struct packet packet = wire_decode_capture("ipv6-fragments.pcap", 13);
    expect_fine(&packet);
    expect_flow(&packet, "[2001:db8:1::2]:59694", "[2001:db8:1::1]:80");
    cr_expect_eq(packet.tcp.sequence, 1770092805);
    cr_expect_eq(packet.tcp.ip_id, 0);
    cr_expect_eq(packet.fragment, FRAGMENT_NONE, "an atomic fragment");
}

Test(ipv6, payload_length_cuts_padding)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "86dd" IPV6_HEADER("0008", "11") UDP "000000");
    expect_flow(&packet, "[2001:db8::1]:4096", "[2001:db8::2]:8192");
    cr_expect_eq(packet.payload_length, 0);
    cr_expect_eq(packet.ttl, 64);
}

// A jumbogram's length lies in its hop-by-hop option; the frame's end is the same.
Test(ipv6, jumbogram)
{
    struct packet packet = wire_decode(LINK_RAW, IPV6_HEADER("0000", "00") "1100 c204 00000014" UDP_HEADER(
                                                     "1000", "2000", "0000") "01020304");
    expect_fine(&packet);
    cr_expect_eq(packet.payload_length, 4);
}

Test(ipv6, wrong_version_and_cut)
{
    struct packet packet =
        wire_decode(LINK_ETHERNET, MACS
                    "86dd"
                    "40000000 0008 1140 20010db8000000000000000000000001 20010db8000000000000000000000002");
    expect_error(&packet, DECODE_LAYER_NETWORK, DECODE_BAD_VERSION);
    packet = wire_decode(LINK_ETHERNET, MACS "86dd 60000000");
    expect_error(&packet, DECODE_LAYER_NETWORK, DECODE_TRUNCATED);
}

Test(ipv6, in_ipv4)
{
    struct packet packet =
        wire_decode(LINK_RAW, IPV4_HEADER("0044", "0000", "29", "545b") IPV6_HEADER("0008", "11") UDP);
    expect_flow(&packet, "[2001:db8::1]:4096", "[2001:db8::2]:8192");
    cr_expect_eq(packet.tunnel.kind, TUNNEL_IPIP);
    expect_address(&packet.tunnel.source, "10.0.0.1");
}

Test(ipv6, in_ipv6_and_not_ipv4)
{
    struct packet packet = wire_decode(LINK_RAW, IPV6_HEADER("0030", "29") IPV6_HEADER("0008", "11") UDP);
    cr_expect_eq(packet.tunnel.kind, TUNNEL_IPIP);
    packet = wire_decode(LINK_RAW, IPV6_HEADER("0028", "29") IPV4_HEADER("001c", "0000", "11", "549b") UDP
                         "000000000000000000000000");
    expect_error(&packet, DECODE_LAYER_TUNNEL, DECODE_BAD_VERSION);
    cr_expect_eq(packet.source.version, 6);
}
