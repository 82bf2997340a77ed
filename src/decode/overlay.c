// Overlay networks over UDP: VXLAN (RFC 7348, and its generic protocol extension) and Geneve (RFC 8926). A datagram on their port that does
// not look like one stays a plain datagram.
#include "decode/decoders.h"
#include "decode/describe.h"

enum { VXLAN_BYTES = 8, VXLAN_HAS_ID = 0x08, VXLAN_HAS_PROTOCOL = 0x04, GENEVE_BYTES = 8 };
enum { GPE_IPV4 = 1, GPE_IPV6 = 2 };

enum decoder_id decode_vxlan(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, VXLAN_BYTES);
    uint8_t flags = cursor_u8(&header);
    if (header.failed || !(flags & VXLAN_HAS_ID))
        return DECODER_NONE;
    cursor_skip(&header, 2);
    uint8_t protocol = cursor_u8(&header);
    decode_tunnel(packet, TUNNEL_VXLAN, cursor_u24(&header));
    decoding->cursor.at += VXLAN_BYTES;
    if ((flags & VXLAN_HAS_PROTOCOL) != 0 && (protocol == GPE_IPV4 || protocol == GPE_IPV6))
        return decode_ip_version(decoding);
    return DECODER_ETHERNET;
}

// Its version is the upper two bits, the options' length in words the lower six.
static size_t geneve_bytes(struct cursor header)
{
    return GENEVE_BYTES + (cursor_peek(&header) & 0x3fU) * 4;
}

enum decoder_id decode_geneve(struct decoding *decoding, struct packet *packet)
{
    size_t length = geneve_bytes(decoding->cursor);
    struct cursor header = decoding_header(decoding, length);
    if (header.failed || cursor_u8(&header) >> 6 != 0)
        return DECODER_NONE;
    cursor_skip(&header, 1);
    uint16_t type = cursor_u16(&header);
    decode_tunnel(packet, TUNNEL_GENEVE, cursor_u24(&header));
    decoding->cursor.at += length;
    return type > ETHER_LENGTH_MAXIMUM ? decode_ether_type(decoding, packet, type) : DECODER_NONE;
}

void describe_vxlan(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    describe_layer(fields, "VXLAN", &layer, VXLAN_BYTES);
    describe_hex(fields, "Flags", &layer, 1);
    cursor_skip(&layer, 3);
    describe_number(fields, "Network identifier", &layer, 3);
}

void describe_geneve(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    size_t length = geneve_bytes(layer);
    describe_layer(fields, "Geneve", &layer, length);
    describe_hex(fields, "Version and options", &layer, 1);
    describe_hex(fields, "Flags", &layer, 1);
    describe_hex_named(fields, "Protocol", &layer, 2, ether_type_name);
    describe_number(fields, "Network identifier", &layer, 3);
    cursor_skip(&layer, 1);
    if (length > GENEVE_BYTES)
        describe_bytes(fields, "Options", &layer, length - GENEVE_BYTES);
}
