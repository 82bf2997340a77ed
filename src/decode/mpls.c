// MPLS label stacks (RFC 3032). Nothing says what they carry. An IP header shows by its first nibble and its length; a
// pseudowire is taken for Ethernet, behind a control word (RFC 4385, begins with 0) or without one (RFC 4448), by where an
// EtherType stands that is known.
#include "decode/decoders.h"
#include "decode/describe.h"

enum { ENTRY_BYTES = 4, ENTRIES_MAXIMUM = 16, CONTROL_WORD_BYTES = 4 };
enum { ETHERNET_BYTES = 14, IPV6_BYTES = 40, IPV6_LENGTH_END = 6 };
enum { BOTTOM_OF_STACK = 0x100 };

// Whether the stack ends within the budget; the cursor stands behind it then.
static bool skip_stack(struct cursor *cursor)
{
    for (unsigned i = 0; i < ENTRIES_MAXIMUM; i++)
        if (cursor_u32(cursor) & BOTTOM_OF_STACK)
            return true;
    return false;
}

// Whether a header of the IP version that the first nibble gives could stand here: its length fits what is left.
static bool fits_ip(const struct decoding *decoding)
{
    struct cursor header = decoding_header(decoding, IPV6_LENGTH_END);
    uint32_t first = cursor_u32(&header), second = cursor_u16(&header);
    uint32_t left = decoding_wire_left(decoding), total = first & 0xffff;
    if (header.failed)
        return cursor_peek(&decoding->cursor) >> 4 == 4; // too short to be asked
    if (first >> 28 == 4)
        return (first >> 24 & 0xf) >= 5 && total >= (first >> 24 & 0xf) * 4 && total <= left;
    return first >> 28 == 6 && second + IPV6_BYTES <= left;
}

// Whether Ethernet that begins `skipped` bytes further on has an EtherType that is decoded.
static bool fits_ethernet(const struct decoding *decoding, size_t skipped)
{
    struct cursor header = decoding_header(decoding, skipped + ETHERNET_BYTES);
    cursor_skip(&header, skipped + ETHERNET_BYTES - 2);
    uint16_t type = cursor_u16(&header);
    return !header.failed && decode_ether_type_known(type);
}

static enum decoder_id below_stack(struct decoding *decoding, struct packet *packet)
{
    enum decoder_id row = decode_ip_version(decoding);
    if (row != DECODER_NONE && (fits_ip(decoding) || !fits_ethernet(decoding, 0)))
        return row;
    bool control_word =
        cursor_peek(&decoding->cursor) >> 4 == 0 && cursor_left(&decoding->cursor) >= CONTROL_WORD_BYTES;
    if (control_word && (fits_ethernet(decoding, CONTROL_WORD_BYTES) || !fits_ethernet(decoding, 0))) {
        decoding->cursor.at += CONTROL_WORD_BYTES;
        return DECODER_ETHERNET;
    }
    if (fits_ethernet(decoding, 0))
        return DECODER_ETHERNET;
    return decode_fail(packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
}

enum decoder_id decode_mpls(struct decoding *decoding, struct packet *packet)
{
    struct cursor stack = decoding->cursor;
    if (!skip_stack(&stack))
        return decode_fail(packet, DECODE_LAYER_LINK, stack.failed ? DECODE_TRUNCATED : DECODE_TOO_DEEP);
    decoding->cursor = stack;
    return below_stack(decoding, packet);
}

void describe_mpls(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    struct cursor stack = layer;
    skip_stack(&stack);
    describe_layer(fields, "MPLS", &layer, (size_t)(stack.at - layer.at));
    uint32_t entry = 0;
    for (unsigned i = 0; i < ENTRIES_MAXIMUM && !(entry & BOTTOM_OF_STACK); i++) {
        const uint8_t *at = layer.at;
        entry = cursor_u32(&layer);
        if (layer.failed)
            return;
        fields_add(fields, FIELD_TOP, "Label", at, ENTRY_BYTES, "%u, class %u, TTL %u%s", entry >> 12,
                   entry >> 9 & 7, entry & 0xff, entry & BOTTOM_OF_STACK ? ", bottom of the stack" : "");
    }
}
