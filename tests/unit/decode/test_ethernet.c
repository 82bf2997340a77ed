#include "wire.h"

#define DATAGRAM IPV4_HEADER("001c", "0000", "11", "549b") UDP_HEADER("1000", "2000", "0008")

Test(ethernet, padding_is_no_payload)
{
    struct packet packet =
        wire_decode(LINK_ETHERNET, MACS "0800" DATAGRAM "000000000000000000000000000000000000");
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    cr_expect_eq(packet.ether_type, ETHER_TYPE_IPV4);
    cr_expect_eq(packet.payload_length, 0);
    cr_expect_eq(packet.payload_captured, 0);
}

Test(ethernet, type_that_is_not_decoded)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "88cc 0207");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    cr_expect_eq(packet.ether_type, 0x88cc);
}

Test(ethernet, cut_in_the_addresses)
{
    struct packet packet = wire_decode(LINK_ETHERNET, "020000000002 0200");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
}

Test(vlan, tag_of_a_capture)
{
    struct packet packet = wire_decode_capture("vlan-gap.pcap", 1);
    cr_expect_eq(packet.vlans, 1);
    cr_expect_eq(packet.vlan[0], 50);
    expect_flow(&packet, "10.0.0.1:53226", "10.0.0.2:3000");
    cr_expect_eq(packet.ether_type, ETHER_TYPE_IPV4);
}

Test(vlan, two_tags_of_a_capture)
{
    struct packet packet = wire_decode_capture("pppoe-qinq.pcap", 1);
    cr_expect_eq(packet.vlans, 2);
    cr_expect_eq(packet.vlan[0], 3704);
    cr_expect_eq(packet.vlan[1], 2474);
}

Test(vlan, all_tag_types_and_more_tags_than_are_kept)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "88a8 0001 9100 e002 8100 0003 0800" DATAGRAM);
    cr_expect_eq(packet.vlans, 3);
    cr_expect_eq(packet.vlan[0], 1);
    cr_expect_eq(packet.vlan[1], 2);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

Test(llc, snap_carries_an_ether_type)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "0024 aaaa03 000000 0800" DATAGRAM "0000");
    expect_fine(&packet);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

// A NetBIOS frame of the wild: length 0x2f, unnumbered information.
Test(llc, other_payload_is_unsupported)
{
    struct packet packet = wire_decode(
        LINK_ETHERNET, "000c29310d01 000c298e87a6 002f f0f0 032c 00ff ef0e 0008 000e 0008"
                       "0057 4657 5f48 4f53 545f 3120 2020 2020 0057 4657 5f48 4f53 545f 3220 2020 2020 20");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    cr_expect_eq(packet.ether_type, 0);
}

Test(llc, length_beyond_the_frame)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "0400 424203 0000");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_BAD_LENGTH);
}
