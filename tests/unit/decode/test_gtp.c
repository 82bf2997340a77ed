#include "wire.h"

#define INNER IPV4_HEADER("001c", "0000", "11", "549b") UDP_HEADER("1000", "2000", "0008")
#define OUTER "4500 0000 0001 0000 40 11 0000 c0000201 c6336401 " UDP_HEADER("0868", "0868", "0000")

Test(gtp_u, of_a_capture)
{
    struct packet packet = wire_decode_capture("gtp-u.pcap", 1);
    expect_fine(&packet);
    cr_expect_eq(packet.tunnel.kind, TUNNEL_GTP_U);
    cr_expect_eq(packet.tunnel.id, 1);
    expect_address(&packet.source, "202.11.40.158");
    expect_address(&packet.tunnel.source, "192.168.40.179");
    cr_expect_eq(packet.ip_protocol, IP_PROTOCOL_ICMP);
}

Test(gtp_u, sequence_number_and_extension_headers)
{
    struct packet packet = wire_decode(LINK_RAW, OUTER "36ff 0028 00000005 00010085 01000000 00"
                                                       "");
    packet = wire_decode(LINK_RAW, OUTER "32ff 0020 00000005 00010000" INNER);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    packet = wire_decode(LINK_RAW, OUTER "34ff 0024 00000005 00000085 01100000" INNER);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    cr_expect_eq(packet.tunnel.id, 5);
}

Test(gtp_u, other_messages_are_datagrams)
{
    static const char *const frames[] = {
        OUTER "3201 0004 00000000 00000000",                // echo request
        OUTER "34ff 0024 00000005 00000085 00100000" INNER, // an extension without length
        OUTER "30ff 0004 00000005 00000000",                // no IP inside
        OUTER "30ff 00",
    };
    for (unsigned i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        struct packet packet = wire_decode(LINK_RAW, frames[i]);
        expect_fine(&packet);
        expect_flow(&packet, "192.0.2.1:2152", "198.51.100.1:2152");
        cr_expect_eq(packet.tunnel.kind, TUNNEL_NONE);
    }
}
