#include "wire.h"

#define UDP UDP_HEADER("1000", "2000", "0008")

Test(ip_extension, chain_is_walked)
{
    struct packet packet =
        wire_decode(LINK_RAW, IPV6_HEADER("0028", "00") "2b00 050200000100"
                                                        "3c00 000000000000"
                                                        "3300 010400000000"
                                                        "1102 000000000001 0000000100000000" UDP);
    // Hop-by-hop, routing, destination, AH.
    packet = wire_decode(LINK_RAW, IPV6_HEADER("0030", "00") "2b00050200000100"
                                                             "3c00000000000000"
                                                             "3300010400000000"
                                                             "1102000000000001 0000000100000000" UDP);
    expect_fine(&packet);
    cr_expect_eq(packet.ip_protocol, IP_PROTOCOL_UDP);
    expect_flow(&packet, "[2001:db8::1]:4096", "[2001:db8::2]:8192");
}

Test(ip_extension, first_and_later_fragments)
{
    struct packet first = wire_decode(
        LINK_RAW, IPV6_HEADER("0010", "2c") "1100 0001 cafe0001" UDP_HEADER("1000", "2000", "0100"));
    expect_fine(&first);
    cr_expect_eq(first.fragment, FRAGMENT_FIRST);
    cr_expect_eq(first.fragment_id, 0xcafe0001);
    expect_flow(&first, "[2001:db8::1]:4096", "[2001:db8::2]:8192");
    struct packet later = wire_decode(LINK_RAW, IPV6_HEADER("0010", "2c") "1100 0009 cafe0001" UDP);
    cr_expect_eq(later.fragment, FRAGMENT_LATER);
    cr_expect_not(later.ports_known);
    cr_expect_eq(later.payload_length, 8);
}

Test(ip_extension, encrypted_and_empty_ends)
{
    struct packet packet = wire_decode(LINK_RAW, IPV6_HEADER("0008", "32") "0000000100000001");
    expect_fine(&packet);
    cr_expect_eq(packet.ip_protocol, IP_PROTOCOL_ESP);
    cr_expect_not(packet.has_transport);
    packet = wire_decode(LINK_RAW, IPV6_HEADER("0000", "3b"));
    cr_expect_eq(packet.ip_protocol, IP_PROTOCOL_NO_NEXT);
    packet = wire_decode(LINK_RAW, IPV6_HEADER("0008", "87") "3b00050000000000");
    cr_expect_eq(packet.ip_protocol, IP_PROTOCOL_MOBILITY);
}

Test(ip_extension, broken_headers)
{
    struct packet packet = wire_decode(LINK_RAW, IPV6_HEADER("0010", "3c") "11ff000000000000" UDP);
    expect_error(&packet, DECODE_LAYER_NETWORK, DECODE_BAD_LENGTH);
    expect_address(&packet.source, "2001:db8::1");
    packet = wire_decode_cut(LINK_RAW, IPV6_HEADER("0018", "3c") "1101000000000000 0000000000000000" UDP, 44);
    expect_error(&packet, DECODE_LAYER_NETWORK, DECODE_TRUNCATED);
}

Test(ip_extension, endless_chain)
{
    char frame[1024] = IPV6_HEADER("00a0", "3c");
    for (unsigned i = 0; i < 20; i++)
        strcat(frame, "3c00010400000000");
    struct packet packet = wire_decode(LINK_RAW, frame);
    expect_error(&packet, DECODE_LAYER_NETWORK, DECODE_TOO_DEEP);
}
