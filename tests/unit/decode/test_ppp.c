#include "wire.h"

#define DATAGRAM IPV4_HEADER("001c", "0000", "11", "549b") UDP_HEADER("1000", "2000", "0008")

Test(ppp, with_and_without_framing_and_compression)
{
    static const char *const frames[] = {"0021" DATAGRAM, "ff030021" DATAGRAM, "21" DATAGRAM,
                                         "ff0321" DATAGRAM};
    for (unsigned i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        struct packet packet = wire_decode(LINK_PPP, frames[i]);
        expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
        packet = wire_decode(50, frames[i]);
        expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    }
}

Test(ppp, cisco_hdlc_on_the_same_line)
{
    struct packet packet = wire_decode(50, "0f00 0800" DATAGRAM);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

Test(ppp, control_protocols_and_cuts)
{
    struct packet packet = wire_decode(LINK_PPP, "ff03 c021 01010004");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    packet = wire_decode(LINK_PPP, "00");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
}

Test(pppoe, of_a_capture)
{
    struct packet packet = wire_decode_capture("pppoe-qinq.pcap", 4);
    expect_fine(&packet);
    expect_flow(&packet, "1.1.1.1:20394", "2.2.2.2:443");
    cr_expect_eq(packet.ether_type, ETHER_TYPE_PPPOE_SESSION);
    cr_expect_eq(packet.payload_length, 517);
}

Test(pppoe, broken_headers)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "8864 21 00 0001 001e 0021" DATAGRAM);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_BAD_HEADER);
    packet = wire_decode(LINK_ETHERNET, MACS "8864 11 00 0001 00ff 0021" DATAGRAM);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_BAD_LENGTH);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    packet = wire_decode(LINK_ETHERNET, MACS "8864 11 00 0001");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
}
