#include "wire.h"

#define INNER IPV4_HEADER("001c", "0000", "11", "549b") UDP_HEADER("1000", "2000", "0008")
#define OUTER "4500 0000 0001 0000 40 11 0000 c0000201 c6336401 "

// A ping of flannel, on the port that Linux used first.
Test(vxlan, port_8472)
{
    struct packet packet = wire_decode_cut(
        LINK_ETHERNET,
        "00163e0871cf 36dc851eb340 0800 45000086d2c040004011 5152c0a8cb01c0a8ca01 b05d21180072000008000000 "
        "00006400"
        "003088010002 00163e37f604 0800 4500005400004000 4001234fc0a8cb03c0a8cb05 0800f6f2050c0001 "
        "fce2975100000000"
        "a6f8020000000000 101112131415161718191a1b1c1d1e1f 202122232425262728292a2b2c2d2e2f 3031323334353637",
        148);
    expect_fine(&packet);
    cr_expect_eq(packet.tunnel.kind, TUNNEL_VXLAN);
    cr_expect_eq(packet.tunnel.id, 100);
    expect_address(&packet.source, "192.168.203.3");
    expect_address(&packet.tunnel.target, "192.168.202.1");
    cr_expect_eq(packet.ip_protocol, IP_PROTOCOL_ICMP);
    cr_expect_eq(packet.source_port, 8);
}

Test(vxlan, needs_its_flag)
{
    struct packet packet =
        wire_decode(LINK_RAW, OUTER UDP_HEADER("ffff", "12b5", "0000") "0800000000002a00" MACS "0800" INNER);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    cr_expect_eq(packet.tunnel.id, 42);
    packet =
        wire_decode(LINK_RAW, OUTER UDP_HEADER("ffff", "12b5", "0000") "0000000000002a00" MACS "0800" INNER);
    expect_fine(&packet);
    expect_flow(&packet, "192.0.2.1:65535", "198.51.100.1:4789");
    cr_expect_eq(packet.tunnel.kind, TUNNEL_NONE);
    cr_expect_eq(packet.payload_length, 8 + 14 + 28);
}

Test(vxlan, nested)
{
    struct packet packet = wire_decode(
        LINK_RAW, OUTER UDP_HEADER("ffff", "12b5",
                                   "0000") "0800000000000100" MACS "0800"
                                           "4500 0000 0001 0000 40 11 0000 c0000202 c6336402 " UDP_HEADER(
                                               "ffff", "12b5", "0000") "0800000000000200" MACS "0800" INNER);
    cr_expect_eq(packet.tunnel.id, 2);
    expect_address(&packet.tunnel.source, "192.0.2.2");
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

Test(geneve, with_options_of_a_capture)
{
    struct packet packet = wire_decode_capture("geneve.pcap", 1);
    expect_fine(&packet);
    cr_expect_eq(packet.tunnel.kind, TUNNEL_GENEVE);
    cr_expect_eq(packet.tunnel.id, 786734);
    expect_flow(&packet, "10.0.0.226:39088", "95.217.228.176:80");
    expect_address(&packet.tunnel.source, "192.168.33.179");
}

Test(geneve, options_beyond_the_datagram)
{
    struct packet packet =
        wire_decode(LINK_RAW, OUTER UDP_HEADER("ffff", "17c1", "0000") "3f000800 00002a00" INNER);
    expect_flow(&packet, "192.0.2.1:65535", "198.51.100.1:6081");
    packet = wire_decode(LINK_RAW, OUTER UDP_HEADER("ffff", "17c1", "0000") "00000800 00002a00" INNER);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}
