#include "wire.h"

#define INNER IPV4_HEADER("001c", "0000", "11", "549b") UDP_HEADER("1000", "2000", "0008")
#define OUTER "4500 0000 0001 0000 40 2f 0000 c0000201 c6336401 "

Test(gre, of_a_capture)
{
    struct packet packet = wire_decode_capture("gre.pcap", 2);
    expect_flow(&packet, "10.20.0.1:44444", "10.20.0.2:80");
    cr_expect_eq(packet.tunnel.kind, TUNNEL_GRE);
    cr_expect_eq(packet.tunnel.id, 0);
    expect_address(&packet.tunnel.source, "192.0.2.1");
    expect_address(&packet.tunnel.target, "198.51.100.1");
    struct packet direct = wire_decode_capture("gre.pcap", 1);
    cr_expect_eq(direct.tunnel.kind, TUNNEL_NONE);
    expect_flow(&direct, "10.20.0.1:44444", "10.20.0.2:80");
}

Test(gre, optional_fields)
{
    struct packet packet = wire_decode(LINK_RAW, OUTER "b000 0800 12340000 0000002a 00000001" INNER);
    expect_fine(&packet);
    cr_expect_eq(packet.tunnel.id, 42);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

Test(gre, ethernet_inside)
{
    struct packet packet = wire_decode(LINK_RAW, OUTER "2000 6558 00000007" MACS "8100 0005 0800" INNER);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    cr_expect_eq(packet.tunnel.id, 7);
    cr_expect_eq(packet.vlan[0], 5);
}

Test(gre, point_to_point_tunnel)
{
    struct packet packet =
        wire_decode(LINK_RAW, OUTER "3081 880b 00200102 00000001 00000002 ff03 0021" INNER);
    expect_fine(&packet);
    cr_expect_eq(packet.tunnel.id, 0x0102);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

Test(gre, inside_gre_is_the_innermost)
{
    struct packet packet =
        wire_decode(LINK_RAW, OUTER "2000 0800 00000001 4500 0000 0001 0000 40 2f 0000 c0000202 c6336402"
                                    "2000 0800 00000002" INNER);
    cr_expect_eq(packet.tunnel.id, 2);
    expect_address(&packet.tunnel.source, "192.0.2.2");
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

Test(gre, broken_headers_leave_the_outer_flow)
{
    struct packet packet = wire_decode(LINK_RAW, OUTER "4000 0800 00000000" INNER);
    expect_error(&packet, DECODE_LAYER_TUNNEL, DECODE_BAD_HEADER);
    expect_address(&packet.source, "192.0.2.1");
    packet = wire_decode(LINK_RAW, OUTER "0002 0800" INNER);
    expect_error(&packet, DECODE_LAYER_TUNNEL, DECODE_BAD_HEADER);
    packet = wire_decode(LINK_RAW, OUTER "2000 0800 0000");
    expect_error(&packet, DECODE_LAYER_TUNNEL, DECODE_TRUNCATED);
    expect_address(&packet.source, "192.0.2.1");
    cr_expect_eq(packet.ip_protocol, IP_PROTOCOL_GRE);
}

// EIGRP mirrored by a switch.
Test(erspan, type_2)
{
    struct packet packet = wire_decode(
        LINK_ETHERNET,
        "00e0009b6d81 00259e81b354 0800 45fc006c00ab4000fb2fbc0a01010102c0a8ff05 1000 88be 000000ab"
        "1156c29a00007ff8 01005e00000d 001f9ed2a980 0800 45c0003a5bf4000001676c6b0a300601e000000d"
        "2000c530000100020069001400042c6ceec000130004000000010015000401000000fdec0000");
    expect_fine(&packet);
    cr_expect_eq(packet.tunnel.kind, TUNNEL_ERSPAN);
    cr_expect_eq(packet.tunnel.id, 0x29a);
    expect_address(&packet.tunnel.source, "1.1.1.2");
    expect_address(&packet.source, "10.48.6.1");
    expect_address(&packet.target, "224.0.0.13");
    cr_expect_eq(packet.ip_protocol, 103);
}

Test(erspan, type_1_has_no_header)
{
    struct packet packet = wire_decode(LINK_RAW, OUTER "0000 88be" MACS "0800" INNER);
    cr_expect_eq(packet.tunnel.kind, TUNNEL_ERSPAN);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

Test(erspan, type_3_with_and_without_subheader)
{
    struct packet packet =
        wire_decode(LINK_RAW, OUTER "1000 22eb 00000001 2000 0007 00000000 0000 0000" MACS "0800" INNER);
    cr_expect_eq(packet.tunnel.id, 7);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    packet = wire_decode(
        LINK_RAW, OUTER "1000 22eb 00000001 2000 0007 00000000 0000 0001 0000000000000000" MACS "0800" INNER);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

Test(erspan, unknown_version)
{
    struct packet packet =
        wire_decode(LINK_RAW, OUTER "1000 88be 00000001 f000 0007 00000000" MACS "0800" INNER);
    expect_error(&packet, DECODE_LAYER_TUNNEL, DECODE_BAD_VERSION);
    expect_address(&packet.source, "192.0.2.1");
}
