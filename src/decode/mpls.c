// MPLS label stacks (RFC 3032). What they carry is known by its first nibble: IP, or a pseudowire whose
// control word (RFC 4385) begins with 0 and which is taken for Ethernet.
#include "decode/decoders.h"
#include "decode/describe.h"

enum { ENTRY_BYTES = 4, ENTRIES_MAXIMUM = 16, CONTROL_WORD_BYTES = 4 };
enum { BOTTOM_OF_STACK = 0x100 };

// Whether the stack ends within the budget; the cursor stands behind it then.
static bool skip_stack(struct cursor *cursor)
{
    for (unsigned i = 0; i < ENTRIES_MAXIMUM; i++)
        if (cursor_u32(cursor) & BOTTOM_OF_STACK)
            return true;
    return false;
}

static enum decoder_id below_stack(struct decoding *decoding, struct packet *packet)
{
    enum decoder_id row = decode_ip_version(decoding);
    if (row != DECODER_NONE)
        return row;
    struct cursor control_word = decoding_header(decoding, CONTROL_WORD_BYTES);
    if (control_word.failed || cursor_u32(&control_word) >> 28 != 0) {
        decode_fail(packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
        return DECODER_NONE;
    }
    decoding->cursor.at += CONTROL_WORD_BYTES;
    return DECODER_ETHERNET;
}

enum decoder_id decode_mpls(struct decoding *decoding, struct packet *packet)
{
    struct cursor stack = decoding->cursor;
    if (!skip_stack(&stack)) {
        decode_fail(packet, DECODE_LAYER_LINK, stack.failed ? DECODE_TRUNCATED : DECODE_TOO_DEEP);
        return DECODER_NONE;
    }
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
