#include "wire.h"

#define DATAGRAM IPV4_HEADER("001c", "0000", "11", "549b") UDP_HEADER("1000", "2000", "0008")

Test(cisco_metadata, one_tag)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "8909 0101 00010002 0800" DATAGRAM);
    expect_fine(&packet);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

Test(cisco_metadata, several_options_and_none)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "8909 0102 00010002 00050007 0800" DATAGRAM);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    packet = wire_decode(LINK_ETHERNET, MACS "8909 0100 0800" DATAGRAM);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

Test(cisco_metadata, cut)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "8909 01ff 00010002 0800" DATAGRAM);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    packet = wire_decode(LINK_ETHERNET, MACS "8909 01");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
}
