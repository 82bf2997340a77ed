#include "wire.h"

enum { LINK_NFLOG = 239, LINK_PKTAP = 258 };

#define DATAGRAM   IPV4_HEADER("001c", "0000", "11", "549b") UDP_HEADER("1000", "2000", "0008")
#define ZEROS_24   "000000000000000000000000000000000000000000000000"
#define PKTAP_REST ZEROS_24 ZEROS_24 ZEROS_24 ZEROS_24

static void expect_datagram(const struct packet *packet)
{
    expect_fine(packet);
    expect_flow(packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

Test(nflog, items_of_either_byte_order)
{
    struct packet packet = wire_decode(LINK_NFLOG, "02 00 0001 0800 0100 0800 0000 0500 0a00 00000000 "
                                                   "2000 0900 " DATAGRAM);
    expect_datagram(&packet);
    packet = wire_decode(LINK_NFLOG, "02 00 0001 0008 0001 0800 0000 0005 000a 00000000 0020 0009 " DATAGRAM);
    expect_datagram(&packet);
}

Test(nflog, of_a_bridge_the_packet_header_says_what_it_is)
{
    struct packet packet = wire_decode(LINK_NFLOG, "07 00 0001 0800 0100 0800 0000 2000 0900 " DATAGRAM);
    expect_datagram(&packet);
    cr_expect_eq(packet.ether_type, 0x0800);
    packet = wire_decode(LINK_NFLOG, "07 00 0001 2000 0900 " DATAGRAM);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
}

Test(nflog, broken_headers)
{
    struct packet packet = wire_decode(LINK_NFLOG, "02 01 0001 2000 0900 " DATAGRAM);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_BAD_VERSION);
    packet = wire_decode(LINK_NFLOG, "02 00 0001 0500 0a00 00000000");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    packet = wire_decode(LINK_NFLOG, "02 00 0001 0800 0100 0800 0000 0300 0900");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_BAD_LENGTH);
    packet = wire_decode(LINK_NFLOG, "02 00 0001 2100 0900 " DATAGRAM);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_BAD_LENGTH);
}

Test(pktap, names_the_link_type_of_what_follows)
{
    struct packet packet =
        wire_decode(LINK_PKTAP, "6c000000 01000000 01000000 " PKTAP_REST MACS "0800 " DATAGRAM);
    expect_datagram(&packet);
    packet = wire_decode(LINK_PKTAP, "6c000000 01000000 0c000000 " PKTAP_REST DATAGRAM); // raw IP
    expect_datagram(&packet);
}

Test(pktap, under_the_number_that_is_anybodys)
{
    struct packet packet = wire_decode(149, "6c000000 01000000 0c000000 " PKTAP_REST DATAGRAM);
    expect_datagram(&packet);
    packet = wire_decode(149, "01020304 01000000 0c000000 " PKTAP_REST DATAGRAM);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_BAD_LENGTH);
    packet = wire_decode(149, "00000000 05000000 0c000000 " PKTAP_REST DATAGRAM);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_LINK);
}

Test(pktap, broken_headers)
{
    struct packet packet =
        wire_decode(LINK_PKTAP, "6b000000 01000000 01000000 " PKTAP_REST MACS "0800 " DATAGRAM);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_BAD_LENGTH);
    packet = wire_decode(LINK_PKTAP, "6c000000 01000000 01000000 " ZEROS_24);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_BAD_LENGTH);
    packet = wire_decode(LINK_PKTAP, "6c000000 02000000 01000000 " PKTAP_REST);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    packet = wire_decode(LINK_PKTAP, "6c000000 01000000 01000100 " PKTAP_REST);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_LINK);
    packet = wire_decode(LINK_PKTAP, "6c0000");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
}
