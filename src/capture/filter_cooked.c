#include "capture/filter_cooked.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"
#include "net/protocol.h"

enum { LINK_TYPE_SLL = 113, LINK_TYPE_SLL2 = 276, LINK_TYPE_EN10MB = 1 };
enum { SLL_BYTES = 16, SLL2_BYTES = 20, MAC_BYTES = 6, TAG_BYTES = 4, TAGS_MAXIMUM = 4 };

struct cooked {
    uint32_t header;  // bytes up to the payload, tags left out
    uint32_t payload; // where it begins
    unsigned type_at; // in the header
    const uint8_t *address;
    uint16_t type; // behind all tags
    unsigned tags;
    uint8_t tag[TAGS_MAXIMUM][TAG_BYTES];
};

bool filter_is_cooked(uint16_t link_type)
{
    return link_type == LINK_TYPE_SLL || link_type == LINK_TYPE_SLL2;
}

static void add_tag(struct cooked *cooked, uint16_t type, const uint8_t *control)
{
    uint8_t *tag = cooked->tag[cooked->tags++];
    bytes_put_u16(tag, type);
    memcpy(tag + 2, control, 2);
}

// The tag that old versions of libpcap put into the address of a v1 header, see decode/cooked.c.
static void read_misplaced_tag(const struct frame *frame, struct cooked *cooked)
{
    const uint8_t *bytes = frame->bytes;
    if (frame->captured < SLL_BYTES + TAG_BYTES || bytes_u16(bytes + 4) != MAC_BYTES ||
        !ether_type_is_tag(bytes_u16(bytes + 12)) || bytes_u16(bytes + 16) != 0)
        return;
    add_tag(cooked, bytes_u16(bytes + 12), bytes + 14);
    cooked->type = bytes_u16(bytes + 18);
    cooked->payload += TAG_BYTES;
}

static bool read_cooked(const struct frame *frame, struct cooked *cooked)
{
    bool first = frame->link_type == LINK_TYPE_SLL;
    *cooked = (struct cooked){.header = first ? SLL_BYTES : SLL2_BYTES, .type_at = first ? 14 : 0};
    if (frame->captured < cooked->header)
        return false;
    cooked->payload = cooked->header;
    cooked->address = frame->bytes + (first ? 6 : 12);
    cooked->type = bytes_u16(frame->bytes + cooked->type_at);
    if (first)
        read_misplaced_tag(frame, cooked);
    while (ether_type_is_tag(cooked->type) && cooked->tags < TAGS_MAXIMUM &&
           frame->captured - cooked->payload >= TAG_BYTES) {
        const uint8_t *tag = frame->bytes + cooked->payload;
        add_tag(cooked, cooked->type, tag);
        cooked->type = bytes_u16(tag + 2);
        cooked->payload += TAG_BYTES;
    }
    assert(cooked->payload <= frame->captured);
    return true;
}

// Behind `header` bytes that were written.
static void add_payload(const struct frame *frame, const struct cooked *cooked, uint8_t *into,
                        uint32_t header, struct frame *out)
{
    uint32_t captured = frame->captured - cooked->payload;
    memcpy(into + header, frame->bytes + cooked->payload, captured);
    *out = *frame;
    out->bytes = into;
    out->captured = header + captured;
    out->length = header + (frame->length - cooked->payload);
}

bool filter_cooked_untag(const struct frame *frame, uint8_t *into, struct frame *out)
{
    struct cooked cooked;
    if (!read_cooked(frame, &cooked) || cooked.tags == 0)
        return false;
    memcpy(into, frame->bytes, cooked.header);
    if (frame->link_type == LINK_TYPE_SLL)
        memset(into + 12, 0, 2);
    bytes_put_u16(into + cooked.type_at, cooked.type);
    add_payload(frame, &cooked, into, cooked.header, out);
    return true;
}

bool filter_cooked_to_ethernet(const struct frame *frame, uint8_t *into, struct frame *out)
{
    struct cooked cooked;
    if (!read_cooked(frame, &cooked))
        return false;
    memset(into, 0, MAC_BYTES);
    memcpy(into + MAC_BYTES, cooked.address, MAC_BYTES);
    uint32_t header = 2 * MAC_BYTES;
    for (unsigned i = 0; i < cooked.tags; i++, header += TAG_BYTES)
        memcpy(into + header, cooked.tag[i], TAG_BYTES);
    bytes_put_u16(into + header, cooked.type);
    add_payload(frame, &cooked, into, header + 2, out);
    out->link_type = LINK_TYPE_EN10MB;
    return true;
}
