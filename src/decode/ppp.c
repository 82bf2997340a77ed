// PPP (RFC 1661), plain or in HDLC-like framing (RFC 1662), and PPPoE sessions (RFC 2516).
#include "decode/decoders.h"
#include "decode/describe.h"

enum { FRAMING_BYTES = 2, FRAMING = 0xff03, PPPOE_BYTES = 6, PPPOE_VERSION_TYPE = 0x11 };

// Cisco's HDLC shares the serial lines: its address byte is 0x0f or 0x8f, its control byte 0.
static bool is_cisco_hdlc(struct cursor header)
{
    uint16_t start = cursor_u16(&header);
    return start == 0x0f00 || start == 0x8f00;
}

static void skip_framing(struct cursor *cursor)
{
    struct cursor ahead = *cursor;
    if (cursor_u16(&ahead) == FRAMING)
        cursor_skip(cursor, FRAMING_BYTES);
}

// One byte when compressed (RFC 1661 section 6.5), which shows by its lowest bit.
static uint16_t read_protocol(struct cursor *cursor)
{
    return cursor_peek(cursor) & 1 ? cursor_u8(cursor) : cursor_u16(cursor);
}

enum decoder_id decode_ppp(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding->cursor;
    if (is_cisco_hdlc(header))
        return DECODER_CISCO_HDLC;
    skip_framing(&header);
    uint16_t protocol = read_protocol(&header);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    decoding->cursor = header;
    return decode_ppp_protocol(packet, protocol);
}

enum decoder_id decode_pppoe(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, PPPOE_BYTES);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    if (cursor_u8(&header) != PPPOE_VERSION_TYPE || cursor_u8(&header) != 0)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_BAD_HEADER);
    cursor_skip(&header, 2);
    decoding->cursor.at += PPPOE_BYTES;
    if (!decoding_limit(decoding, cursor_u16(&header)))
        decode_fail(packet, DECODE_LAYER_LINK, DECODE_BAD_LENGTH);
    return DECODER_PPP;
}

static const char *ppp_protocol_name(uint64_t protocol)
{
    switch (protocol) {
    case 0x0021:
        return "IPv4";
    case 0x0057:
        return "IPv6";
    case 0x0281:
        return "MPLS";
    case 0x8021:
        return "IPCP";
    case 0x8057:
        return "IPV6CP";
    case 0xc021:
        return "LCP";
    case 0xc023:
        return "PAP";
    case 0xc223:
        return "CHAP";
    default:
        return NULL;
    }
}

void describe_ppp(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    if (is_cisco_hdlc(layer))
        return;
    struct cursor header = layer;
    skip_framing(&header);
    size_t framing = (size_t)(header.at - layer.at);
    size_t length = cursor_peek(&header) & 1 ? 1 : 2;
    describe_layer(fields, "PPP", &layer, framing + length);
    if (framing > 0)
        describe_hex(fields, "Framing", &layer, framing);
    describe_hex_named(fields, "Protocol", &layer, length, ppp_protocol_name);
}

void describe_pppoe(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    describe_layer(fields, "PPPoE", &layer, PPPOE_BYTES);
    describe_hex(fields, "Version and type", &layer, 1);
    describe_number(fields, "Code", &layer, 1);
    describe_hex(fields, "Session", &layer, 2);
    describe_number(fields, "Length", &layer, 2);
}
