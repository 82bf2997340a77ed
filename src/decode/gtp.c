// GTP-U (3GPP TS 29.281): user packets of mobile networks. Only G-PDUs carry one; other messages stay
// plain datagrams.
#include "decode/decoders.h"
#include "decode/describe.h"

enum { GTP_BYTES = 8, GTP_G_PDU = 255, GTP_EXTENSIONS_MAXIMUM = 8 };
enum { GTP_VERSION_AND_TYPE = 0xf0, GTP_VERSION_1 = 0x30, GTP_EXTENSION = 0x04, GTP_OPTIONAL = 0x07 };

// Each extension header begins with its length in words and ends with the type of the next.
static bool skip_extensions(struct cursor *cursor, uint8_t next)
{
    for (unsigned count = 0; next != 0; count++) {
        unsigned words = cursor_u8(cursor);
        if (words == 0 || count == GTP_EXTENSIONS_MAXIMUM)
            return false;
        cursor_skip(cursor, words * 4 - 2);
        next = cursor_u8(cursor);
    }
    return !cursor->failed;
}

static bool skip_optional(struct cursor *cursor, uint8_t flags)
{
    if (!(flags & GTP_OPTIONAL))
        return true;
    cursor_skip(cursor, 3);
    uint8_t next = cursor_u8(cursor);
    return !(flags & GTP_EXTENSION) || skip_extensions(cursor, next);
}

enum decoder_id decode_gtp_u(struct decoding *decoding, struct packet *packet)
{
    struct cursor cursor = decoding->cursor;
    uint8_t flags = cursor_u8(&cursor);
    uint8_t message = cursor_u8(&cursor);
    cursor_skip(&cursor, 2);
    uint32_t tunnel_id = cursor_u32(&cursor);
    bool plausible = (flags & GTP_VERSION_AND_TYPE) == GTP_VERSION_1 && message == GTP_G_PDU;
    if (!plausible || !skip_optional(&cursor, flags) || cursor.failed)
        return DECODER_NONE;
    decode_tunnel(packet, TUNNEL_GTP_U, tunnel_id);
    decoding->cursor = cursor;
    return decode_ip_version(decoding);
}

void describe_gtp_u(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    struct cursor ahead = layer;
    uint8_t flags = cursor_peek(&layer);
    cursor_skip(&ahead, GTP_BYTES);
    skip_optional(&ahead, flags);
    describe_layer(fields, "GTP-U", &layer, (size_t)(ahead.at - layer.at));
    describe_hex(fields, "Flags", &layer, 1);
    describe_number(fields, "Message", &layer, 1);
    describe_number(fields, "Length", &layer, 2);
    describe_hex(fields, "Tunnel endpoint", &layer, 4);
    if (ahead.at > layer.at && !layer.failed)
        describe_bytes(fields, "Extensions", &layer, (size_t)(ahead.at - layer.at));
}
