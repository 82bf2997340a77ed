// BSD loopback (LINKTYPE_NULL in the byte order of the machine that captured, LINKTYPE_LOOP in network
// order; some write an EtherType in place of the family, or PPP) and raw IP without any link header.
#include "decode/decoders.h"
#include "decode/describe.h"

enum { FAMILY_BYTES = 4, PPP_FRAMING = 0xff03 };

// The families are small numbers, so that the wrong byte order shows.
static uint32_t read_family(struct cursor *cursor)
{
    uint32_t family = cursor_u32(cursor);
    return family > 0xffff ? __builtin_bswap32(family) : family;
}

// AF_INET is 2 everywhere, AF_INET6 differs by system: 10 Linux, 23 Windows, 24 NetBSD and OpenBSD,
// 28 FreeBSD, 30 Darwin.
static enum decoder_id family_row(uint32_t family)
{
    switch (family) {
    case 2:
        return DECODER_IPV4;
    case 10:
    case 23:
    case 24:
    case 28:
    case 30:
        return DECODER_IPV6;
    default:
        return DECODER_NONE;
    }
}

enum decoder_id decode_null(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, FAMILY_BYTES);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    struct cursor ahead = header;
    if (cursor_u16(&ahead) == PPP_FRAMING)
        return DECODER_PPP;
    decoding->cursor.at += FAMILY_BYTES;
    uint32_t family = read_family(&header);
    if (family > ETHER_LENGTH_MAXIMUM && family <= UINT16_MAX)
        return decode_ether_type(decoding, packet, (uint16_t)family);
    enum decoder_id row = family_row(family);
    if (row == DECODER_NONE)
        decode_fail(packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    return row;
}

enum decoder_id decode_raw_ip(struct decoding *decoding, struct packet *packet)
{
    enum decoder_id row = decode_ip_version(decoding);
    if (row == DECODER_NONE)
        decode_fail(packet, DECODE_LAYER_LINK,
                    cursor_left(&decoding->cursor) == 0 ? DECODE_TRUNCATED : DECODE_BAD_VERSION);
    return row;
}

void describe_null(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    describe_layer(fields, "Loopback", &layer, FAMILY_BYTES);
    const uint8_t *at = layer.at;
    uint32_t family = read_family(&layer);
    if (!layer.failed)
        fields_add(fields, FIELD_TOP, "Family", at, FAMILY_BYTES, "%u", family);
}
