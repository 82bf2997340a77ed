#include "wire.h"

Test(sll, of_a_capture)
{
    struct packet packet = wire_decode_capture("sll-starttls.pcap", 1);
    cr_expect_eq(packet.link_type, LINK_SLL);
    expect_flow(&packet, "203.143.168.47:55123", "185.18.76.170:6667");
}

Test(sll2, of_a_capture_with_its_interface)
{
    struct packet packet = wire_decode_capture("sll2.pcap", 1);
    cr_expect_eq(packet.link_type, LINK_SLL2);
    cr_expect_neq(packet.link_interface, 0);
    expect_flow(&packet, "116.63.66.108:443", "7.249.151.114:57292");
    cr_expect_eq(packet.payload_length, 31);
}

Test(sll, protocol_below_the_ether_types)
{
    struct packet packet = wire_decode(LINK_SLL, "0000 0118 0000 0000000000000000 000c 00");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    packet = wire_decode(LINK_SLL, "0002 0001 0006 0200000000010000 0004 424203 00");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
}

Test(sll, cut)
{
    struct packet packet = wire_decode(LINK_SLL, "0000 0001 0006 020000000001 0000");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    packet = wire_decode(LINK_SLL2, "0800 0000 00000002 0001 00 06 020000000001");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    cr_expect_eq(packet.link_interface, 0);
}

#define TAGGED_DATAGRAM IPV4_HEADER("001c", "0000", "11", "549b") UDP_HEADER("1000", "2000", "0008")

// As libpcap 1.10.5 and newer write it: the tag in place of the protocol, which follows the header.
Test(sll2, tags_behind_the_header)
{
    struct packet packet = wire_decode(LINK_SLL2, "8100 0000 00000003 0001 00 06 0200000000010000 "
                                                  "0064 0800 " TAGGED_DATAGRAM);
    expect_fine(&packet);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    cr_expect(packet.vlans == 1 && packet.vlan[0] == 100);
    packet = wire_decode(LINK_SLL2, "88a8 0000 00000003 0001 00 06 0200000000010000 "
                                    "0064 8100 00c8 0800 " TAGGED_DATAGRAM);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    cr_expect(packet.vlans == 2 && packet.vlan[0] == 100 && packet.vlan[1] == 200);
}

Test(sll, tags_in_front_of_the_protocol)
{
    struct packet packet =
        wire_decode(LINK_SLL, "0000 0001 0006 0200000000010000 8100 0064 0800 " TAGGED_DATAGRAM);
    expect_fine(&packet);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    cr_expect(packet.vlans == 1 && packet.vlan[0] == 100);
}

// As libpcap before 1.4 wrote it.
Test(sll, a_tag_in_the_address)
{
    struct packet packet =
        wire_decode(LINK_SLL, "0000 0001 0006 020000000001 8100 00c8 0000 0800 " TAGGED_DATAGRAM);
    expect_fine(&packet);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    cr_expect(packet.vlans == 1 && packet.vlan[0] == 200);
    packet =
        wire_decode(LINK_SLL, "0000 0001 0006 020000000001 8100 00c8 0000 8100 0064 0800 " TAGGED_DATAGRAM);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    cr_expect(packet.vlans == 2 && packet.vlan[0] == 200 && packet.vlan[1] == 100);
}
