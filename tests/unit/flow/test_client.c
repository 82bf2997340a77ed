#include "flow/client.h"

#include "packets.h"

static void expect_opener(const struct packet *packet, bool is_sender, enum client_from from)
{
    struct flow_opener opener = flow_opener_of(packet);
    cr_expect_eq(opener.is_sender, is_sender, "%u > %u", packet->source_port, packet->target_port);
    cr_expect_eq(opener.from, from, "%u > %u", packet->source_port, packet->target_port);
}

static void expect_udp(uint16_t from_port, uint16_t to_port, bool is_sender)
{
    struct packet packet = udp_packet(1, from_port, 2, to_port, 0);
    expect_opener(&packet, is_sender, is_sender ? CLIENT_FIRST_PACKET : CLIENT_PORT);
}

Test(flow_client, of_datagrams_has_no_servers_port)
{
    expect_udp(40000, 53, true);
    expect_udp(53, 40000, false);
    expect_udp(3478, 40000, false); // STUN
    expect_udp(3544, 40000, false); // Teredo
    expect_udp(2123, 40000, false); // GTP
    expect_udp(2152, 40000, false);
    expect_udp(51820, 40000, false); // the last of the table
    expect_udp(1080, 40000, true);   // of TCP
    expect_udp(40000, 40001, true);
    expect_udp(123, 123, true);
    expect_udp(53, 1900, false); // clients got ports like this once
    expect_udp(1900, 53, true);
}

Test(flow_client, of_dhcp_has_a_port_of_its_own)
{
    expect_udp(68, 67, true);
    expect_udp(67, 68, false);
    expect_udp(67, 67, true); // a relay asks
    expect_udp(546, 547, true);
    expect_udp(547, 546, false);
    expect_udp(4011, 68, false);
}

Test(flow_client, is_no_multicast_group)
{
    struct packet sent = udp_packet(1, 123, 2, 40000, 0);
    sent.target = address_v4((const uint8_t[4]){224, 0, 1, 1});
    expect_opener(&sent, true, CLIENT_FIRST_PACKET);
    struct packet forged = udp_packet(1, 40000, 2, 40001, 0);
    forged.source = address_v4((const uint8_t[4]){239, 1, 1, 1});
    expect_opener(&forged, false, CLIENT_PORT);
    struct packet six = udp_packet(1, 547, 2, 546, 0);
    six.source = host_v6(1);
    six.target = address_v6((const uint8_t[16]){0xff, 0x02, [15] = 1});
    expect_opener(&six, true, CLIENT_FIRST_PACKET);
}

static void expect_message(uint16_t from_port, uint16_t to_port, const uint8_t bytes[20], bool is_sender)
{
    struct packet packet = udp_packet(1, from_port, 2, to_port, 0);
    packet.bytes = bytes;
    packet.payload_length = packet.payload_captured = 20;
    expect_opener(&packet, is_sender, is_sender ? CLIENT_FIRST_PACKET : CLIENT_PORT);
}

Test(flow_client, asks_by_stun_on_any_port)
{
    uint8_t stun[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    expect_message(40000, 40001, stun, true);
    expect_message(3478, 40000, stun, true);
    stun[1] = 0x11; // an indication tells nothing, the port does
    expect_message(3478, 40000, stun, false);
    expect_message(40000, 40001, stun, true);
    stun[0] = 1, stun[1] = 1; // answered
    expect_message(40000, 40001, stun, false);
    stun[1] = 0x11; // refused
    expect_message(40000, 40001, stun, false);
    stun[4] = 0; // something else
    expect_message(40000, 40001, stun, true);
}

Test(flow_client, asks_by_gtp_between_equal_ports)
{
    uint8_t gtp[20] = {0x32, 1}; // an echo
    expect_message(2152, 2152, gtp, true);
    gtp[1] = 2;
    expect_message(2152, 2152, gtp, false);
    gtp[0] = 0x48, gtp[1] = 33; // a session was made
    expect_message(2123, 2123, gtp, false);
    gtp[1] = 32;
    expect_message(2123, 2123, gtp, true);
    gtp[1] = 255; // a user's packet
    expect_message(2152, 2152, gtp, true);
    gtp[1] = 2;
    expect_message(2153, 2153, gtp, true);
}

Test(flow_client, of_segments_midway_is_told_by_the_port)
{
    struct packet to = tcp_packet(1, 40000, 2, 443, TCP_ACK, 0);
    expect_opener(&to, true, CLIENT_PORT);
    struct packet from = tcp_packet(1, 443, 2, 40000, TCP_ACK, 0);
    expect_opener(&from, false, CLIENT_PORT);
    struct packet high = tcp_packet(1, 5060, 2, 40000, TCP_ACK, 0);
    expect_opener(&high, true, CLIENT_FIRST_PACKET);
    struct packet fragment = tcp_packet(1, 40000, 2, 80, 0, 0);
    fragment.has_transport = false; // the flags are in the datagram that is put together
    expect_opener(&fragment, true, CLIENT_PORT);
    fragment.ports_known = false;
    expect_opener(&fragment, true, CLIENT_FIRST_PACKET);
}
