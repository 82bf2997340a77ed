#include "wire.h"

// A telnet SYN in one label, as routers sent it.
Test(mpls, one_label)
{
    struct packet packet =
        wire_decode(LINK_ETHERNET, "003096e6fc39 003096052838 8847 0001ddff 45c0002c00000000ff06a4e7"
                                   "0a0102010a220001 2af9001798320ffb00000000 60021020a2400000 02040218");
    expect_fine(&packet);
    expect_flow(&packet, "10.1.2.1:11001", "10.34.0.1:23");
    cr_expect_eq(packet.tcp.mss, 536);
}

#define DATAGRAM IPV4_HEADER("001c", "0000", "11", "549b") UDP_HEADER("1000", "2000", "0008")

Test(mpls, stack_and_pseudowire)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "8847 0001 00ff 0001 00ff 0001 01ff" DATAGRAM);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    packet = wire_decode(LINK_ETHERNET, MACS "8848 0001 01ff 00000000" MACS "0800" DATAGRAM);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

Test(mpls, stack_without_end)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "8847 00010000 00010000");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    char frame[512] = MACS "8847";
    for (unsigned i = 0; i < 40; i++)
        strcat(frame, "00010000");
    packet = wire_decode(LINK_ETHERNET, frame);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TOO_DEEP);
}

Test(mpls, unknown_content)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "8847 000101ff 10000007");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
}

Test(mpls, ethernet_without_a_control_word)
{
    // Whatever the first nibble of the address: of a control word, of IPv4 and of IPv6, and of none.
    static const char *const frames[] = {
        MACS "8847 000101ff 001122334455 020000000001 0800" DATAGRAM,
        MACS "8847 000101ff 4c1122334455 020000000001 0800" DATAGRAM,
        MACS "8847 000101ff 6438e0a1b2c3 020000000001 0800" DATAGRAM,
        MACS "8847 000101ff a01122334455 020000000001 8100 0064 0800" DATAGRAM,
    };
    for (unsigned i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        struct packet packet = wire_decode(LINK_ETHERNET, frames[i]);
        expect_fine(&packet);
        expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    }
}
