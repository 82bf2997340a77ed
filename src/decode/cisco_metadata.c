// Cisco metadata (EtherType 0x8909): the security group tag that TrustSec puts between an Ethernet header and
// what it carries. Version, length in words of four bytes, that many options, the EtherType behind them; the
// layout is as captures show it, Cisco publishes none.
#include "decode/decoders.h"
#include "decode/describe.h"

enum { FIXED_BYTES = 2, OPTION_BYTES = 4, TYPE_BYTES = 2, OPTION_SGT = 1 };

static size_t header_bytes(struct cursor header)
{
    cursor_u8(&header);
    return FIXED_BYTES + (size_t)cursor_u8(&header) * OPTION_BYTES + TYPE_BYTES;
}

enum decoder_id decode_cisco_metadata(struct decoding *decoding, struct packet *packet)
{
    size_t bytes = header_bytes(decoding->cursor);
    struct cursor header = decoding_header(decoding, bytes);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    cursor_skip(&header, bytes - TYPE_BYTES);
    decoding->cursor.at += bytes;
    return decode_ether_type(decoding, packet, cursor_u16(&header));
}

void describe_cisco_metadata(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    describe_layer(fields, "Cisco metadata", &layer, header_bytes(layer));
    cursor_u8(&layer);
    unsigned options = cursor_u8(&layer);
    for (unsigned i = 0; i < options && !layer.failed; i++) {
        const uint8_t *at = layer.at;
        unsigned kind = cursor_u16(&layer) & 0x0fff; // the high bits give a length
        unsigned value = cursor_u16(&layer);
        if (!layer.failed && kind == OPTION_SGT)
            fields_add(fields, FIELD_TOP, "Security group tag", at, OPTION_BYTES, "%u", value);
        else if (!layer.failed)
            fields_add(fields, FIELD_TOP, "Option", at, OPTION_BYTES, "%u, value 0x%04x", kind, value);
    }
}
