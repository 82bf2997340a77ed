#include "wire.h"

Test(arp, request_and_reply_of_a_capture)
{
    struct packet packet = wire_decode_capture("browsing.pcap", 3);
    cr_assert(packet.is_arp);
    expect_fine(&packet);
    cr_expect_eq(packet.arp.operation, 1);
    expect_address(&packet.arp.sender, "10.10.0.35");
    expect_address(&packet.arp.target, "10.10.0.34");
    cr_expect_eq(packet.source.version, 0);
    cr_expect_eq(packet.payload_length, 0, "padding");
    packet = wire_decode_capture("browsing.pcap", 4);
    cr_expect_eq(packet.arp.operation, 2);
    static const uint8_t mac[6] = {0x00, 0x50, 0x56, 0x82, 0x08, 0x6e};
    cr_expect_arr_eq(packet.arp.sender_mac, mac, 6);
}

Test(arp, other_hardware_has_no_addresses)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "0806 0018 0800 08 04 0001 0000000000000000");
    cr_expect(packet.is_arp);
    cr_expect_eq(packet.arp.operation, 1);
    cr_expect_eq(packet.arp.sender.version, 0);
}

Test(arp, cut)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "0806 0001 0800 06 04 0002 0200000000");
    expect_error(&packet, DECODE_LAYER_NETWORK, DECODE_TRUNCATED);
    cr_expect(packet.is_arp);
    cr_expect_eq(packet.arp.sender.version, 0);
}
