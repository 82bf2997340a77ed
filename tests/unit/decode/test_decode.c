#include "decode/decode.h"

#include "wire.h"

Test(decode, clears_what_the_last_packet_left)
{
    struct packet packet = wire_decode(LINK_ETHERNET, MACS "88cc 0207");
    cr_expect_eq(packet.source.version, 0);
    cr_expect_eq(packet.target.version, 0);
    cr_expect_eq(packet.vlans, 0);
    cr_expect_eq(packet.ip_protocol, 0);
    cr_expect_eq(packet.fragment, FRAGMENT_NONE);
    cr_expect_eq(packet.tunnel.kind, TUNNEL_NONE);
    cr_expect_not(packet.is_arp);
    cr_expect_not(packet.has_transport);
    cr_expect_not(packet.ports_known);
    cr_expect_eq(packet.notes, 0);
}

Test(decode, whole_packet_of_a_capture)
{
    struct packet packet = wire_decode_capture("mail-retransmissions.pcap", 3);
    expect_fine(&packet);
    expect_flow(&packet, "10.10.1.4:1470", "74.53.140.153:25");
    cr_expect_eq(packet.ip_protocol, IP_PROTOCOL_TCP);
    cr_expect_eq(packet.tcp.sequence, 2126795696);
    cr_expect_eq(packet.tcp.flags, TCP_SYN);
    cr_expect_eq(packet.payload_length, 0);
}

Test(decode, link_type_that_is_unknown)
{
    struct packet packet = wire_decode(147, "0102030405");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_LINK);
    cr_expect_eq(packet.payload_captured, 5);
}

Test(decode, empty_frame)
{
    struct packet packet = wire_decode(LINK_ETHERNET, "");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    cr_expect_eq(packet.payload_captured, 0);
    cr_expect_eq(packet.payload_length, 0);
}

Test(decode, notes_a_snapped_frame_and_keeps_wire_lengths)
{
    const char *frame = MACS "0800" IPV4_HEADER("0030", "0000", "11", "5487")
        UDP_HEADER("1000", "2000", "001c") "0102030405060708090a0b0c0d0e0f1011121314";
    struct packet packet = wire_decode_cut(LINK_ETHERNET, frame, 14 + 20 + 8 + 5);
    cr_expect(packet.notes & PACKET_NOTE_SNAPPED);
    cr_expect(packet.has_transport);
    cr_expect_eq(packet.payload_captured, 5);
    cr_expect_eq(packet.payload_length, 20);
    cr_expect_eq(packet_payload(&packet)[0], 0x01);
}

Test(decode, every_cut_of_a_frame_stays_inside)
{
    const struct packet whole = wire_keep(wire_capture("pppoe-qinq.pcap", 4));
    for (uint32_t captured = 0; captured <= whole.captured; captured++) {
        struct packet packet = wire_cut(&whole, captured);
        decode_packet(&packet, &(struct decode_options){.tunnels = true});
        cr_expect_leq(packet.payload_offset + packet.payload_captured, captured);
        cr_expect_leq(packet.payload_captured, packet.payload_length);
        cr_expect_eq(packet.payload_length == 517, packet.has_transport, "%u", captured);
    }
}

// Ethernet in MPLS in Ethernet, again and again: every turn costs two layers.
Test(decode, layers_have_a_budget)
{
    char frame[WIRE_BYTES] = "";
    for (unsigned i = 0; i < 20; i++)
        strcat(frame, MACS "8847 00001140 00000000 ");
    struct packet packet = wire_decode(LINK_ETHERNET, frame);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TOO_DEEP);
}

Test(decode, trace_names_the_layers)
{
    struct packet packet = wire_capture("pppoe-qinq.pcap", 1);
    struct layer_trace trace;
    decode_packet_traced(&packet, &(struct decode_options){.tunnels = true}, &trace);
    static const enum decoder_id expected[] = {DECODER_ETHERNET, DECODER_VLAN, DECODER_VLAN, DECODER_PPPOE,
                                               DECODER_PPP,      DECODER_IPV4, DECODER_TCP};
    cr_assert_eq(trace.count, sizeof expected / sizeof expected[0]);
    for (unsigned i = 0; i < trace.count; i++)
        cr_expect_eq(trace.layers[i].decoder, expected[i]);
    cr_expect_eq(trace.layers[0].offset, 0);
    cr_expect_eq(trace.layers[1].offset, 14);
    cr_expect_eq(trace.layers[6].offset, 14 + 4 + 4 + 6 + 2 + 20);
}

#define OUTER_GRE IPV4_HEADER("0040", "0000", "2f", "5459")

Test(decode, tunnel_that_holds_no_ip_leaves_the_outer_flow)
{
    struct packet packet = wire_decode(
        LINK_RAW, OUTER_GRE
        "0000 0800 65000028123440004006000001020304050607080102030405060708090a0b0c0d0e0f1011121314");
    expect_error(&packet, DECODE_LAYER_TUNNEL, DECODE_BAD_VERSION);
    expect_address(&packet.source, "10.0.0.1");
    cr_expect_eq(packet.ip_protocol, IP_PROTOCOL_GRE);
    cr_expect_eq(packet.tunnel.kind, TUNNEL_NONE);
    cr_expect_eq(packet.payload_length, 44);
}

Test(decode, tunnel_that_holds_arp_leaves_the_outer_flow_without_error)
{
    struct packet packet = wire_decode(LINK_RAW, OUTER_GRE "0000 6558" MACS "0806 0001080006040001"
                                                           "0200000000010a000001000000000000 0a00");
    cr_expect_not(packet.is_arp);
    expect_address(&packet.target, "10.0.0.2");
    cr_expect_eq(packet.tunnel.kind, TUNNEL_NONE);
}

Test(decode, content_of_another_kind_is_no_error)
{
    struct packet packet = wire_decode(LINK_RAW, OUTER_GRE "0000 88cc 0207040000000000");
    cr_expect_eq(packet.error_reason, DECODE_BAD_LENGTH, "the total length promises more");
    packet = wire_decode(LINK_RAW, IPV4_HEADER("0020", "0000", "2f", "5479") "0000 88cc 0207040000000000");
    expect_fine(&packet);
    expect_address(&packet.source, "10.0.0.1");
}

Test(decode, tunnels_can_be_left_closed)
{
    struct packet packet = wire_capture("geneve.pcap", 1);
    decode_packet(&packet, &(struct decode_options){.tunnels = false});
    expect_fine(&packet);
    cr_expect_eq(packet.ip_protocol, IP_PROTOCOL_UDP);
    cr_expect_eq(packet.target_port, 6081);
    expect_address(&packet.source, "192.168.33.179");
    cr_expect_eq(packet.tunnel.kind, TUNNEL_NONE);
}

Test(decode, fragments_of_tunnels_stay_with_their_datagram)
{
    struct packet packet = wire_decode(
        LINK_RAW, IPV4_HEADER("0040", "2000", "04", "3484") IPV4_HEADER("0050", "0000", "11", "5467")
                      UDP_HEADER("1000", "2000", "003c") "0000000000000000000000000000000000000000");
    cr_expect_eq(packet.fragment, FRAGMENT_FIRST);
    cr_expect_eq(packet.ip_protocol, IP_PROTOCOL_IPV4);
    cr_expect_eq(packet.tunnel.kind, TUNNEL_NONE);
}

Test(decode, names_its_enums)
{
    for (unsigned reason = 0; reason < DECODE_REASONS; reason++)
        cr_expect_not_null(decode_reason_name(reason));
    for (unsigned layer = 0; layer < DECODE_LAYERS; layer++)
        cr_expect_not_null(decode_layer_name(layer));
    for (unsigned kind = 0; kind < TUNNEL_KINDS; kind++)
        cr_expect_not_null(tunnel_kind_name(kind));
}
