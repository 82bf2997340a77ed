#include "wire.h"

Test(icmp, type_and_code_are_the_ports)
{
    struct packet packet =
        wire_decode(LINK_RAW, IPV4_HEADER("0000", "0000", "01", "54c7") "0301 fcfe 00000000 4500");
    expect_fine(&packet);
    cr_expect_eq(packet.source_port, 3);
    cr_expect_eq(packet.target_port, 1);
    cr_expect(packet.has_transport);
    cr_expect_eq(packet.payload_length, 2);
}

Test(icmp, cut)
{
    struct packet packet = wire_decode(LINK_RAW, IPV4_HEADER("0000", "0000", "01", "54c7") "0800 f7ff");
    expect_error(&packet, DECODE_LAYER_TRANSPORT, DECODE_TRUNCATED);
    cr_expect(packet.ports_known);
    cr_expect_not(packet.has_transport);
    packet = wire_decode(LINK_RAW, IPV4_HEADER("0000", "0000", "01", "54c7") "08");
    cr_expect_not(packet.ports_known);
}

Test(icmpv6, echo_of_a_capture)
{
    struct packet packet = wire_decode_capture("icmpv6-echo.pcap", 1);
    cr_expect_eq(packet.ip_protocol, IP_PROTOCOL_ICMPV6);
    cr_expect_eq(packet.source_port, 128);
    cr_expect_eq(packet.target_port, 0);
    cr_expect_eq(packet.payload_length, 52);
}
