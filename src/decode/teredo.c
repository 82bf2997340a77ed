// Teredo (RFC 4380): IPv6 in UDP. Its port proves little, so the IPv6 length must fit the datagram.
#include "decode/decoders.h"
#include "decode/describe.h"

enum { INDICATOR_ORIGIN = 0x0000, INDICATOR_AUTHENTICATION = 0x0001, IPV6_BYTES = 40 };

static void skip_authentication(struct cursor *cursor)
{
    cursor_skip(cursor, 2);
    size_t client_id = cursor_u8(cursor);
    size_t value = cursor_u8(cursor);
    cursor_skip(cursor, client_id + value + 9);
}

// An authentication indication, an origin indication, both or none.
static void skip_indications(struct cursor *cursor)
{
    struct cursor ahead = *cursor;
    if (cursor_u16(&ahead) == INDICATOR_AUTHENTICATION)
        skip_authentication(cursor);
    ahead = *cursor;
    if (cursor_u16(&ahead) == INDICATOR_ORIGIN)
        cursor_skip(cursor, 8);
}

static bool ipv6_fits(struct cursor cursor, uint32_t wire_bytes)
{
    uint32_t word = cursor_u32(&cursor);
    uint32_t payload = cursor_u16(&cursor);
    return !cursor.failed && word >> 28 == 6 && payload + IPV6_BYTES == wire_bytes;
}

enum decoder_id decode_teredo(struct decoding *decoding, struct packet *packet)
{
    struct cursor cursor = decoding->cursor;
    skip_indications(&cursor);
    uint32_t skipped = (uint32_t)(cursor.at - decoding->cursor.at);
    if (!ipv6_fits(cursor, decoding_wire_left(decoding) - skipped))
        return DECODER_NONE;
    decode_tunnel(packet, TUNNEL_TEREDO, 0);
    decoding->cursor = cursor;
    return DECODER_IPV6;
}

void describe_teredo(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    struct cursor ahead = layer;
    skip_indications(&ahead);
    size_t length = (size_t)(ahead.at - layer.at);
    describe_layer(fields, "Teredo", &layer, length);
    if (length > 0)
        describe_bytes(fields, "Indications", &layer, length);
}
