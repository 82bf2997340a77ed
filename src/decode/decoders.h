// For the decoders of this folder only: their functions, and what they share. A decoder is a row in
// table.c and a file that holds its decode and describe functions.
#pragma once

#include <assert.h>

#include "decode/decode.h"

// Records the first failure of a packet; DECODER_NONE, for who ends with it. Decoding may go on after it.
enum decoder_id decode_fail(struct packet *packet, enum decode_layer layer, enum decode_reason reason);

// The row of a link type, the packet's or one that a header names; DECODER_NONE with UNSUPPORTED_LINK recorded when there
// is none.
enum decoder_id decode_link_type(struct packet *packet, uint16_t link_type);
// The row for an EtherType, which is noted in the packet; DECODER_NONE with UNSUPPORTED_TYPE recorded
// when there is none. A type up to 1500 is a length: what follows is cut to it and is LLC.
enum decoder_id decode_ether_type(struct decoding *decoding, struct packet *packet, uint16_t ether_type);
// Whether an EtherType has a row.
bool decode_ether_type_known(uint16_t ether_type);
// The row for an IP protocol number; DECODER_NONE for those that carry no ports.
enum decoder_id decode_ip_protocol(uint8_t protocol);
// The row for an IP packet at the cursor, by its version; DECODER_NONE when it is neither.
enum decoder_id decode_ip_version(const struct decoding *decoding);
// The row for a PPP protocol number, as decode_ether_type().
enum decoder_id decode_ppp_protocol(struct packet *packet, uint16_t protocol);
// The row of the tunnel that a UDP datagram with these ports may be; DECODER_NONE for all others.
enum decoder_id decode_udp_port(uint16_t source_port, uint16_t target_port);

// Where the cursor stands, counted from packet->bytes.
static inline uint32_t decoding_offset(const struct decoding *decoding, const struct packet *packet)
{
    return (uint32_t)(decoding->cursor.at - packet->bytes);
}

// Bytes from the cursor to the end of the layer on the wire.
static inline uint32_t decoding_wire_left(const struct decoding *decoding)
{
    return (uint32_t)cursor_left(&decoding->cursor) + decoding->missing;
}

// Cuts what is left to `length` bytes. False when a longer length is claimed than the wire holds.
static inline bool decoding_limit(struct decoding *decoding, uint32_t length)
{
    uint32_t here = (uint32_t)cursor_left(&decoding->cursor);
    if (length <= here) {
        decoding->cursor.end = decoding->cursor.at + length;
        decoding->missing = 0;
        return true;
    }
    if (length - here > decoding->missing)
        return false;
    decoding->missing = length - here;
    return true;
}

// Moves behind `length` bytes of header. False when they are not all at hand.
static inline bool decoding_skip(struct decoding *decoding, uint32_t length)
{
    uint32_t here = (uint32_t)cursor_left(&decoding->cursor);
    if (length <= here) {
        decoding->cursor.at += length;
        return true;
    }
    decoding->cursor.at += here;
    decoding->missing -= length - here < decoding->missing ? length - here : decoding->missing;
    return false;
}

// The next `length` bytes for reading a header, not yet consumed; failed when there are fewer. Made field by
// field: a copy of the whole cursor, some of which the layer before has just stored, would wait for it.
static inline struct cursor decoding_header(const struct decoding *decoding, size_t length)
{
    const uint8_t *at = decoding->cursor.at;
    bool whole = !decoding->cursor.failed && cursor_left(&decoding->cursor) >= length;
    return (struct cursor){.at = at, .end = whole ? at + length : at, .failed = !whole};
}

// The ports that TCP, UDP and SCTP begin with, if they are at hand.
static inline void decode_ports(const struct decoding *decoding, struct packet *packet)
{
    enum { PORTS_BYTES = 4 };
    struct cursor cursor = decoding_header(decoding, PORTS_BYTES);
    uint16_t source = cursor_u16(&cursor);
    uint16_t target = cursor_u16(&cursor);
    if (cursor.failed)
        return;
    packet->source_port = source;
    packet->target_port = target;
    packet->ports_known = true;
}

// The control information of a VLAN tag.
static inline void decode_note_tag(struct packet *packet, uint16_t tag)
{
    if (packet->vlans < PACKET_VLANS)
        packet->vlan[packet->vlans] = tag & 0x0fff;
    assert(packet->vlans <= DECODE_LAYER_BUDGET);
    packet->vlans++;
}

// For tunnel rows: notes what the packet came through. The innermost wins.
static inline void decode_tunnel(struct packet *packet, enum tunnel_kind kind, uint32_t id)
{
    assert(kind > TUNNEL_NONE && kind < TUNNEL_KINDS);
    packet->tunnel.kind = (uint8_t)kind;
    packet->tunnel.id = id;
}

decode_function decode_ethernet, decode_vlan, decode_llc, decode_cisco_metadata;
decode_function decode_sll, decode_sll2;
decode_function decode_null, decode_raw_ip;
decode_function decode_ppp, decode_pppoe;
decode_function decode_cisco_hdlc, decode_frame_relay;
decode_function decode_wifi, decode_radiotap, decode_nflog, decode_pktap;
decode_function decode_mpls, decode_arp, decode_ipv4, decode_ipv6;
decode_function decode_tcp, decode_udp, decode_icmp, decode_icmpv6, decode_sctp;
decode_function decode_ipv4_in_ip, decode_ipv6_in_ip, decode_gre, decode_erspan, decode_vxlan, decode_geneve,
    decode_gtp_u;
decode_function decode_teredo;

describe_function describe_ethernet, describe_vlan, describe_llc, describe_cisco_metadata;
describe_function describe_sll, describe_sll2;
describe_function describe_null;
describe_function describe_ppp, describe_pppoe;
describe_function describe_cisco_hdlc, describe_frame_relay;
describe_function describe_wifi, describe_radiotap, describe_nflog, describe_pktap;
describe_function describe_mpls, describe_arp, describe_ipv4, describe_ipv6;
describe_function describe_tcp, describe_udp, describe_icmp, describe_icmpv6, describe_sctp;
describe_function describe_gre, describe_erspan, describe_vxlan, describe_geneve, describe_gtp_u;
describe_function describe_teredo;
