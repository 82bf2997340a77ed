// Ethernet II and IEEE 802.3, 802.1Q and 802.1ad tags, LLC and SNAP.
#include "decode/decoders.h"

#include "decode/describe.h"

enum { ETHERNET_BYTES = 14, TAG_BYTES = 4, LLC_BYTES = 3, SNAP_BYTES = 8 };
enum { LLC_SNAP = 0xaaaa, LLC_IP = 0x0606, LLC_UNNUMBERED = 0x03 };
enum { OUI_ETHER_TYPE = 0x000000, OUI_BRIDGE_TUNNEL = 0x0000f8 };

enum decoder_id decode_ethernet(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, ETHERNET_BYTES);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    cursor_skip(&header, 12);
    decoding->cursor.at += ETHERNET_BYTES;
    return decode_ether_type(decoding, packet, cursor_u16(&header));
}

enum decoder_id decode_vlan(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, TAG_BYTES);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    decode_note_tag(packet, cursor_u16(&header));
    decoding->cursor.at += TAG_BYTES;
    return decode_ether_type(decoding, packet, cursor_u16(&header));
}

static enum decoder_id decode_snap(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, SNAP_BYTES);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    cursor_skip(&header, LLC_BYTES);
    uint32_t oui = cursor_u24(&header);
    uint16_t type = cursor_u16(&header);
    decoding->cursor.at += SNAP_BYTES;
    if ((oui == OUI_ETHER_TYPE || oui == OUI_BRIDGE_TUNNEL) && type > ETHER_LENGTH_MAXIMUM)
        return decode_ether_type(decoding, packet, type);
    return decode_fail(packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
}

enum decoder_id decode_llc(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, LLC_BYTES);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    uint16_t access_points = cursor_u16(&header);
    uint8_t control = cursor_u8(&header);
    if (access_points == LLC_SNAP && control == LLC_UNNUMBERED)
        return decode_snap(decoding, packet);
    decoding->cursor.at += LLC_BYTES;
    if (access_points == LLC_IP && control == LLC_UNNUMBERED)
        return DECODER_IPV4;
    return decode_fail(packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
}

// The last field of a MAC header or tag: a type, or a length that was chosen to be small.
static void describe_type_or_length(struct cursor *cursor, struct fields *fields)
{
    struct cursor ahead = *cursor;
    if (cursor_u16(&ahead) <= ETHER_LENGTH_MAXIMUM)
        describe_number(fields, "Length", cursor, 2);
    else
        describe_hex_named(fields, "Type", cursor, 2, ether_type_name);
}

void describe_ethernet(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    describe_layer(fields, "Ethernet", &layer, ETHERNET_BYTES);
    describe_mac(fields, "Destination", &layer);
    describe_mac(fields, "Source", &layer);
    describe_type_or_length(&layer, fields);
}

void describe_vlan(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    describe_layer(fields, "VLAN", &layer, TAG_BYTES);
    const uint8_t *at = layer.at;
    uint16_t tag = cursor_u16(&layer);
    if (layer.failed)
        return;
    fields_add(fields, FIELD_TOP, "Priority", at, 2, "%u", (unsigned)tag >> 13);
    fields_add(fields, FIELD_TOP, "Drop eligible", at, 2, "%u", (unsigned)tag >> 12 & 1);
    fields_add(fields, FIELD_TOP, "Id", at, 2, "%u", tag & 0x0fffU);
    describe_type_or_length(&layer, fields);
}

void describe_llc(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    struct cursor ahead = layer;
    bool snap = cursor_u16(&ahead) == LLC_SNAP && cursor_u8(&ahead) == LLC_UNNUMBERED;
    describe_layer(fields, snap ? "LLC SNAP" : "LLC", &layer, snap ? SNAP_BYTES : LLC_BYTES);
    describe_hex(fields, "Destination access point", &layer, 1);
    describe_hex(fields, "Source access point", &layer, 1);
    describe_hex(fields, "Control", &layer, 1);
    if (!snap)
        return;
    describe_hex(fields, "Organisation", &layer, 3);
    describe_hex_named(fields, "Type", &layer, 2, ether_type_name);
}
