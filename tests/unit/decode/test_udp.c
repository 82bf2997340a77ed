#include "wire.h"

#define BEFORE IPV4_HEADER("0000", "0000", "11", "54b7")

Test(udp, length_cuts_the_payload)
{
    struct packet packet = wire_decode(LINK_RAW, BEFORE UDP_HEADER("1000", "2000", "000a") "0102030405");
    expect_fine(&packet);
    cr_expect(packet.has_transport);
    cr_expect_eq(packet.payload_length, 2);
    cr_expect_eq(packet.payload_captured, 2);
}

Test(udp, lengths_that_cannot_be)
{
    struct packet packet = wire_decode(LINK_RAW, BEFORE UDP_HEADER("1000", "2000", "0007") "01");
    expect_error(&packet, DECODE_LAYER_TRANSPORT, DECODE_BAD_LENGTH);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    packet = wire_decode(LINK_RAW, BEFORE UDP_HEADER("1000", "2000", "0100") "01");
    expect_error(&packet, DECODE_LAYER_TRANSPORT, DECODE_BAD_LENGTH);
    cr_expect_eq(packet.payload_length, 1);
}

Test(udp, cut)
{
    const char *frame = BEFORE UDP_HEADER("1000", "2000", "0009") "01";
    struct packet packet = wire_decode_cut(LINK_RAW, frame, 20 + 3);
    cr_expect_not(packet.ports_known);
    packet = wire_decode_cut(LINK_RAW, frame, 20 + 7);
    expect_error(&packet, DECODE_LAYER_TRANSPORT, DECODE_TRUNCATED);
    cr_expect(packet.ports_known);
    cr_expect_not(packet.has_transport);
    packet = wire_decode_cut(LINK_RAW, frame, 20 + 8);
    expect_fine(&packet);
    cr_expect(packet.has_transport);
    cr_expect_eq(packet.payload_length, 1);
}
