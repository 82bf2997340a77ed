#include "wire.h"

#define DATAGRAM IPV4_HEADER("001c", "0000", "11", "549b") UDP_HEADER("1000", "2000", "0008")

Test(cisco_hdlc, carries_ether_types)
{
    struct packet packet = wire_decode(LINK_CISCO_HDLC, "0f00 0800" DATAGRAM);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    packet = wire_decode(LINK_CISCO_HDLC, "8f00 8035 00000002");
    cr_expect_not(packet.is_arp);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    packet = wire_decode(LINK_CISCO_HDLC, "0f0008");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
}

Test(frame_relay, its_encapsulations)
{
    static const char *const frames[] = {"1841 03 cc" DATAGRAM, "1841 03 00 80 000000 0800" DATAGRAM,
                                         "1841 0800" DATAGRAM};
    for (unsigned i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        struct packet packet = wire_decode(LINK_FRAME_RELAY, frames[i]);
        expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    }
}

Test(frame_relay, broken_headers)
{
    struct packet packet = wire_decode(LINK_FRAME_RELAY, "10101010 03 cc");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_BAD_HEADER);
    packet = wire_decode(LINK_FRAME_RELAY, "18");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    packet = wire_decode(LINK_FRAME_RELAY, "1841 03 81 01");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    packet = wire_decode(LINK_FRAME_RELAY, "1841 03 80 000000");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
}
