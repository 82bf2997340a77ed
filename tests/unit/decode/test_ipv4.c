#include "wire.h"

#define UDP UDP_HEADER("1000", "2000", "0008")

Test(ipv4, checksum_is_noted_and_the_packet_kept)
{
    struct packet right = wire_decode(LINK_RAW, IPV4_HEADER("001c", "0000", "11", "549b") UDP);
    struct packet wrong = wire_decode(LINK_RAW, IPV4_HEADER("001c", "0000", "11", "549c") UDP);
    cr_expect_eq(right.notes & PACKET_NOTE_IPV4_CHECKSUM, 0);
    cr_expect(wrong.notes & PACKET_NOTE_IPV4_CHECKSUM);
    expect_fine(&wrong);
    expect_flow(&wrong, "10.0.0.1:4096", "10.0.0.2:8192");
    cr_expect_eq(right.ttl, 64);
}

Test(ipv4, real_headers_have_right_checksums)
{
    for (unsigned number = 1; number <= 20; number++) {
        struct packet packet = wire_decode_capture("mail-retransmissions.pcap", number);
        cr_expect_eq(packet.notes & PACKET_NOTE_IPV4_CHECKSUM, 0, "%u", number);
    }
}

Test(ipv4, options_are_passed)
{
    struct packet packet =
        wire_decode(LINK_RAW, "4600 0020 1234 0000 40 11 bf92 0a000001 0a000002 94040000" UDP);
    expect_fine(&packet);
    cr_expect_eq(packet.notes & PACKET_NOTE_IPV4_CHECKSUM, 0);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

Test(ipv4, total_length_zero_reaches_to_the_end)
{
    struct packet packet = wire_decode(LINK_RAW, IPV4_HEADER("0000", "0000", "11", "54b7")
                                                     UDP_HEADER("1000", "2000", "000c") "01020304");
    expect_fine(&packet);
    cr_expect_eq(packet.payload_length, 4);
}

Test(ipv4, lengths_that_cannot_be)
{
    struct packet packet = wire_decode(LINK_RAW, "4400 001c 1234 0000 40 11 67bb 0a000001 0a000002" UDP);
    expect_error(&packet, DECODE_LAYER_NETWORK, DECODE_BAD_LENGTH);
    cr_expect_eq(packet.source.version, 0);
    packet = wire_decode(LINK_RAW, IPV4_HEADER("0013", "0000", "11", "54a4") UDP);
    expect_error(&packet, DECODE_LAYER_NETWORK, DECODE_BAD_LENGTH);
    cr_expect_eq(packet.source.version, 0);
}

Test(ipv4, longer_than_the_frame_is_counted_and_decoded)
{
    struct packet packet = wire_decode(LINK_RAW, IPV4_HEADER("0100", "0000", "11", "53b7") UDP "0102");
    expect_error(&packet, DECODE_LAYER_NETWORK, DECODE_BAD_LENGTH);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

Test(ipv4, wrong_version)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "0800" IPV6_HEADER("0008", "11") UDP);
    expect_error(&packet, DECODE_LAYER_NETWORK, DECODE_BAD_VERSION);
}

Test(ipv4, cut_headers)
{
    const char *frame = "4600 0020 1234 0000 40 11 bf92 0a000001 0a000002 94040000" UDP;
    struct packet packet = wire_decode_cut(LINK_RAW, frame, 19);
    expect_error(&packet, DECODE_LAYER_NETWORK, DECODE_TRUNCATED);
    cr_expect_eq(packet.source.version, 0);
    packet = wire_decode_cut(LINK_RAW, frame, 22);
    expect_error(&packet, DECODE_LAYER_NETWORK, DECODE_TRUNCATED);
    expect_address(&packet.source, "10.0.0.1");
    cr_expect_not(packet.ports_known);
    cr_expect_eq(packet.payload_captured, 0);
    cr_expect_eq(packet.payload_length, 8);
}

Test(ipv4, fragments_of_a_capture)
{
    struct packet first = wire_decode_capture("fragments.pcap", 1);
    cr_expect_eq(first.fragment, FRAGMENT_FIRST);
    cr_expect_eq(first.fragment_id, 0x425f);
    expect_flow(&first, "172.16.133.54:64415", "216.137.33.81:80");
    for (unsigned number = 2; number <= 11; number++) {
        struct packet later = wire_decode_capture("fragments.pcap", number);
        cr_expect_eq(later.fragment, FRAGMENT_LATER);
        cr_expect_eq(later.fragment_id, 0x425f);
        cr_expect_not(later.ports_known);
        cr_expect_not(later.has_transport);
        cr_expect_eq(later.ip_protocol, IP_PROTOCOL_TCP);
    }
}

Test(ipv4, authentication_header)
{
    struct packet packet =
        wire_decode(LINK_RAW, IPV4_HEADER("0034", "0000", "33",
                                          "5461") "1104 0000 c67ceadf 00000001 ce9113cb69e210d6dbd24b8a" UDP);
    expect_fine(&packet);
    cr_expect_eq(packet.ip_protocol, IP_PROTOCOL_UDP);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
}

Test(ipv4, in_ipv6)
{
    struct packet packet =
        wire_decode(LINK_RAW, IPV6_HEADER("001c", "04") IPV4_HEADER("001c", "0000", "11", "549b") UDP);
    expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    cr_expect_eq(packet.tunnel.kind, TUNNEL_IPIP);
    expect_address(&packet.tunnel.source, "2001:db8::1");
    expect_address(&packet.tunnel.target, "2001:db8::2");
}
