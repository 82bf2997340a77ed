// GRE (RFC 2784, RFC 2890; version 1 of RFC 2637 for PPTP) and ERSPAN, which rides in it.
#include "decode/decoders.h"
#include "decode/describe.h"

enum gre_flag {
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_ACKNOWLEDGEMENT = 0x0080, // version 1
    GRE_VERSION = 0x0007,
};

enum { GRE_ARUBA = 0x8200, GRE_ARUBA_LAST = 0x820f }; // 802.11 frames of access points, a type a radio
enum { GRE_PPP = 0x880b, GRE_ERSPAN = 0x88be, GRE_ERSPAN_3 = 0x22eb };
enum { ERSPAN_2_BYTES = 8, ERSPAN_3_BYTES = 12, ERSPAN_3_SUBHEADER_BYTES = 8, ERSPAN_SESSION = 0x3ff };

struct gre_header {
    uint16_t flags;
    uint16_t type;
    uint32_t key; // 0 without one
    bool broken;  // flags that cannot be, or that nobody has used since RFC 1701
};

// Fields come in a fixed order, each only when its flag is set.
static struct gre_header read_gre(struct cursor *cursor)
{
    struct gre_header header = {.flags = cursor_u16(cursor), .type = cursor_u16(cursor)};
    unsigned version = header.flags & GRE_VERSION;
    header.broken = version > 1 || header.flags & GRE_ROUTING || (version == 1 && header.type != GRE_PPP);
    if (header.flags & GRE_CHECKSUM)
        cursor_skip(cursor, 4);
    if (header.flags & GRE_KEY)
        header.key = cursor_u32(cursor);
    if (header.flags & GRE_SEQUENCE)
        cursor_skip(cursor, 4);
    if (version == 1 && header.flags & GRE_ACKNOWLEDGEMENT)
        cursor_skip(cursor, 4);
    return header;
}

static enum decoder_id gre_row(struct decoding *decoding, struct packet *packet,
                               const struct gre_header *header)
{
    switch (header->type) {
    case GRE_PPP:
        return DECODER_PPP;
    case GRE_ERSPAN:
    case GRE_ERSPAN_3:
        return DECODER_ERSPAN;
    default:
        if (header->type >= GRE_ARUBA && header->type <= GRE_ARUBA_LAST)
            return DECODER_WIFI;
        return header->type > ETHER_LENGTH_MAXIMUM ? decode_ether_type(decoding, packet, header->type)
                                                   : DECODER_NONE;
    }
}

enum decoder_id decode_gre(struct decoding *decoding, struct packet *packet)
{
    struct cursor cursor = decoding->cursor;
    struct gre_header header = read_gre(&cursor);
    if (cursor.failed || header.broken)
        return decode_fail(packet, DECODE_LAYER_TUNNEL, cursor.failed ? DECODE_TRUNCATED : DECODE_BAD_HEADER);
    // Version 1 keeps the payload length in the key's upper half, the call id in the lower.
    bool enhanced = header.flags & GRE_VERSION;
    decode_tunnel(packet, TUNNEL_GRE, enhanced ? header.key & 0xffff : header.key);
    // Without a sequence number it is ERSPAN type I, which has no header.
    bool plain = header.type == GRE_ERSPAN && !(header.flags & GRE_SEQUENCE);
    decoding->cursor = cursor;
    if (!plain)
        return gre_row(decoding, packet, &header);
    decode_tunnel(packet, TUNNEL_ERSPAN, 0);
    return DECODER_ETHERNET;
}

// The header's length by its version: 1 is type II, 2 is type III; 0 = neither.
static size_t erspan_bytes(struct cursor header)
{
    switch (cursor_peek(&header) >> 4) {
    case 1:
        return ERSPAN_2_BYTES;
    case 2:
        cursor_skip(&header, ERSPAN_3_BYTES - 1);
        return ERSPAN_3_BYTES + (cursor_u8(&header) & 1 ? ERSPAN_3_SUBHEADER_BYTES : 0);
    default:
        return 0;
    }
}

enum decoder_id decode_erspan(struct decoding *decoding, struct packet *packet)
{
    size_t length = erspan_bytes(decoding->cursor);
    struct cursor header = decoding_header(decoding, length);
    if (length == 0 || header.failed)
        return decode_fail(packet, DECODE_LAYER_TUNNEL,
                           header.failed ? DECODE_TRUNCATED : DECODE_BAD_VERSION);
    cursor_skip(&header, 2);
    decode_tunnel(packet, TUNNEL_ERSPAN, cursor_u16(&header) & ERSPAN_SESSION);
    decoding->cursor.at += length;
    return DECODER_ETHERNET;
}

void describe_gre(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    struct cursor ahead = layer;
    uint16_t flags = read_gre(&ahead).flags;
    describe_layer(fields, "GRE", &layer, (size_t)(ahead.at - layer.at));
    describe_hex(fields, "Flags and version", &layer, 2);
    describe_hex_named(fields, "Protocol", &layer, 2, ether_type_name);
    if (flags & GRE_CHECKSUM) {
        describe_hex(fields, "Checksum", &layer, 2);
        cursor_skip(&layer, 2);
    }
    if (flags & GRE_KEY)
        describe_hex(fields, "Key", &layer, 4);
    if (flags & GRE_SEQUENCE)
        describe_number(fields, "Sequence number", &layer, 4);
}

void describe_erspan(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    size_t length = erspan_bytes(layer);
    describe_layer(fields, "ERSPAN", &layer, length);
    const uint8_t *at = layer.at;
    uint32_t word = cursor_u32(&layer);
    if (layer.failed)
        return;
    fields_add(fields, FIELD_TOP, "Version", at, 1, "%u", word >> 28);
    fields_add(fields, FIELD_TOP, "VLAN", at, 2, "%u", word >> 16 & 0xfff);
    fields_add(fields, FIELD_TOP, "Session", at + 2, 2, "%u", word & ERSPAN_SESSION);
}
