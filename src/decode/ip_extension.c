#include "decode/ip_extension.h"

#include "decode/describe.h"

enum { FRAGMENT_BYTES = 8, FRAGMENT_OFFSET = 0xfff8, FRAGMENT_MORE = 0x0001 };

static bool is_extension(uint8_t protocol)
{
    switch (protocol) {
    case IP_PROTOCOL_HOP_BY_HOP:
    case IP_PROTOCOL_ROUTING:
    case IP_PROTOCOL_FRAGMENT:
    case IP_PROTOCOL_AH:
    case IP_PROTOCOL_DESTINATION:
    case IP_PROTOCOL_MOBILITY:
    case IP_PROTOCOL_HIP:
    case IP_PROTOCOL_SHIM6:
        return true;
    default:
        return false;
    }
}

// These end a chain as a rule, and are then what the packet is about.
static bool ends_chain(uint8_t protocol, uint8_t next)
{
    return next == IP_PROTOCOL_NO_NEXT &&
           (protocol == IP_PROTOCOL_MOBILITY || protocol == IP_PROTOCOL_HIP || protocol == IP_PROTOCOL_SHIM6);
}

static uint32_t extension_bytes(uint8_t protocol, uint8_t length_field)
{
    switch (protocol) {
    case IP_PROTOCOL_FRAGMENT:
        return FRAGMENT_BYTES;
    case IP_PROTOCOL_AH:
        return (length_field + 2U) * 4;
    default:
        return (length_field + 1U) * 8;
    }
}

static bool extension_fail(struct packet *packet, enum decode_reason reason)
{
    decode_fail(packet, DECODE_LAYER_NETWORK, reason);
    return false;
}

// What a fragment header says; an atomic fragment (RFC 6946) is none.
static void note_fragment(struct cursor *cursor, struct packet *packet)
{
    uint16_t place = cursor_u16(cursor);
    packet->fragment_id = cursor_u32(cursor);
    packet->fragment_place = (uint16_t)((place & FRAGMENT_OFFSET) / 8);
    packet->fragment_more = (place & FRAGMENT_MORE) != 0;
    if (place & FRAGMENT_OFFSET)
        packet->fragment = FRAGMENT_LATER;
    else if (place & FRAGMENT_MORE)
        packet->fragment = FRAGMENT_FIRST;
}

// One header; *next is what follows it. False: nothing behind it can be read.
static bool skip_one(struct decoding *decoding, struct packet *packet, uint8_t protocol, uint8_t *next)
{
    struct cursor header = decoding->cursor;
    *next = cursor_u8(&header);
    uint32_t length = extension_bytes(protocol, cursor_u8(&header));
    if (header.failed)
        return extension_fail(packet, DECODE_TRUNCATED);
    if (length > decoding_wire_left(decoding))
        return extension_fail(packet, DECODE_BAD_LENGTH);
    if (length > cursor_left(&decoding->cursor))
        return extension_fail(packet, DECODE_TRUNCATED);
    decoding->cursor.at += length;
    if (protocol == IP_PROTOCOL_FRAGMENT) {
        note_fragment(&header, packet);
        packet->fragment_protocol = *next;
        packet->fragment_at = decoding_offset(decoding, packet);
    }
    return true;
}

bool ip_extensions_skip(struct decoding *decoding, struct packet *packet, uint8_t protocol)
{
    packet->ip_protocol = protocol;
    for (unsigned count = 0; is_extension(protocol); count++) {
        uint8_t next;
        if (count == IP_EXTENSIONS_MAXIMUM)
            return extension_fail(packet, DECODE_TOO_DEEP);
        if (!skip_one(decoding, packet, protocol, &next))
            return false;
        if (ends_chain(protocol, next))
            return false;
        packet->ip_protocol = protocol = next;
        if (packet->fragment == FRAGMENT_LATER)
            return false;
    }
    return true;
}

static void describe_fragment(struct cursor header, struct fields *fields)
{
    cursor_skip(&header, 2);
    const uint8_t *at = header.at;
    uint16_t place = cursor_u16(&header);
    if (header.failed)
        return;
    fields_add(fields, FIELD_INNER, "Offset", at, 2, "%u", place & (unsigned)FRAGMENT_OFFSET);
    fields_add(fields, FIELD_INNER, "More fragments", at, 2, "%s", place & FRAGMENT_MORE ? "yes" : "no");
    at = header.at;
    uint32_t id = cursor_u32(&header);
    if (!header.failed)
        fields_add(fields, FIELD_INNER, "Identification", at, 4, "0x%08x", id);
}

void ip_extensions_describe(struct cursor *cursor, uint8_t protocol, struct fields *fields)
{
    for (unsigned count = 0; is_extension(protocol) && count < IP_EXTENSIONS_MAXIMUM; count++) {
        struct cursor ahead = *cursor;
        uint8_t next = cursor_u8(&ahead);
        struct cursor header = cursor_sub(cursor, extension_bytes(protocol, cursor_u8(&ahead)));
        if (ahead.failed || header.failed)
            return;
        char name[16];
        fields_add(fields, FIELD_TOP, "Extension header", header.at, cursor_left(&header), "%s, next %u",
                   ip_protocol_text(protocol, name), next);
        if (protocol == IP_PROTOCOL_FRAGMENT)
            describe_fragment(header, fields);
        protocol = next;
    }
}
