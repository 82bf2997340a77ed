#include "wire.h"

#define BEFORE IPV4_HEADER("0000", "0000", "06", "54c2")

Test(tcp, options_of_a_syn)
{
    struct packet packet = wire_decode(LINK_RAW, BEFORE "3039 01bb 00000001 00000002 a0c2 ffff 0000 0000"
                                                        "020405b4 0402 080a 0a430911 00000007 01 030307");
    expect_fine(&packet);
    expect_flow(&packet, "10.0.0.1:12345", "10.0.0.2:443");
    cr_expect(packet.has_transport);
    cr_expect_eq(packet.tcp.sequence, 1);
    cr_expect_eq(packet.tcp.acknowledgement, 2);
    cr_expect_eq(packet.tcp.window, 0xffff);
    cr_expect_eq(packet.tcp.flags, TCP_SYN | TCP_ECE | TCP_CWR);
    cr_expect_eq(packet.tcp.mss, 1460);
    cr_expect(packet.tcp.has_window_shift);
    cr_expect_eq(packet.tcp.window_shift, 7);
    cr_expect_eq(packet.tcp.timestamp, 0x0a430911);
    cr_expect_eq(packet.tcp.timestamp_echo, 7);
    cr_expect_eq(packet.tcp.sacks, 0);
    cr_expect_eq(packet.payload_length, 0);
}

Test(tcp, timestamps_of_a_data_segment)
{
    struct packet packet = wire_decode(LINK_RAW, BEFORE "3039 01bb 00000001 00000002 8018 0100 0000 0000"
                                                        "0101080a 00000005 00000006 414243");
    cr_expect_eq(packet.tcp.timestamp, 5);
    cr_expect_eq(packet.tcp.timestamp_echo, 6);
    cr_expect_eq(packet.tcp.mss, 0);
    cr_expect_not(packet.tcp.has_window_shift);
    cr_expect_eq(packet.payload_length, 3);
    cr_expect_eq(packet_payload(&packet)[2], 'C');
}

Test(tcp, sack_blocks)
{
    struct packet packet = wire_decode(LINK_RAW, BEFORE "3039 01bb 00000001 00000002 a010 0100 0000 0000"
                                                        "0101 0512 00000010 00000020 00000030 00000040");
    cr_expect_eq(packet.tcp.sacks, 2);
}

Test(tcp, broken_options_keep_the_segment)
{
    struct packet packet =
        wire_decode(LINK_RAW, BEFORE "3039 01bb 00000001 00000002 7002 ffff 0000 0000 020405b4 03010000");
    expect_error(&packet, DECODE_LAYER_TRANSPORT, DECODE_BAD_HEADER);
    cr_expect(packet.has_transport);
    cr_expect_eq(packet.tcp.mss, 1460);
    packet = wire_decode(LINK_RAW, BEFORE "3039 01bb 00000001 00000002 6002 ffff 0000 0000 020a05b4");
    expect_error(&packet, DECODE_LAYER_TRANSPORT, DECODE_BAD_HEADER);
}

Test(tcp, options_of_a_wrong_length_are_passed_over)
{
    struct packet packet =
        wire_decode(LINK_RAW, BEFORE "3039 01bb 00000001 00000002 7002 ffff 0000 0000 0203ff 020405b4 00");
    expect_fine(&packet);
    cr_expect_eq(packet.tcp.mss, 1460);
}

Test(tcp, header_lengths_that_cannot_be)
{
    struct packet packet = wire_decode(LINK_RAW, BEFORE "3039 01bb 00000001 00000002 4002 ffff 0000 0000");
    expect_error(&packet, DECODE_LAYER_TRANSPORT, DECODE_BAD_HEADER);
    cr_expect_not(packet.has_transport);
    expect_flow(&packet, "10.0.0.1:12345", "10.0.0.2:443");
    packet = wire_decode(LINK_RAW, BEFORE "3039 01bb 00000001 00000002 f002 ffff 0000 0000");
    expect_error(&packet, DECODE_LAYER_TRANSPORT, DECODE_BAD_LENGTH);
    cr_expect_not(packet.has_transport);
}

Test(tcp, cut_by_the_snaplen)
{
    const char *frame =
        BEFORE "3039 01bb 00000001 00000002 8018 0100 0000 0000 0101080a 00000005 00000006 414243";
    struct packet packet = wire_decode_cut(LINK_RAW, frame, 20 + 3);
    cr_expect_not(packet.ports_known);
    expect_address(&packet.source, "10.0.0.1");
    packet = wire_decode_cut(LINK_RAW, frame, 20 + 4);
    cr_expect_not(packet.has_transport);
    expect_flow(&packet, "10.0.0.1:12345", "10.0.0.2:443");
    packet = wire_decode_cut(LINK_RAW, frame, 20 + 20 + 6);
    expect_error(&packet, DECODE_LAYER_TRANSPORT, DECODE_TRUNCATED);
    cr_expect(packet.has_transport);
    cr_expect_eq(packet.payload_captured, 0);
    cr_expect_eq(packet.payload_length, 3);
}
