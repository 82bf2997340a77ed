// The serial lines of routers: Cisco HDLC and Frame Relay (Q.922 header, RFC 2427 encapsulation).
#include "decode/decoders.h"
#include "decode/describe.h"

enum { CISCO_HDLC_BYTES = 4, RELAY_BYTES = 4, RELAY_SNAP_BYTES = 5 };
enum { RELAY_CONTROL = 0x03, NLPID_SNAP = 0x80, NLPID_IPV6 = 0x8e, NLPID_IPV4 = 0xcc };

enum decoder_id decode_cisco_hdlc(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, CISCO_HDLC_BYTES);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    cursor_skip(&header, 2);
    uint16_t type = cursor_u16(&header);
    decoding->cursor.at += CISCO_HDLC_BYTES;
    // 0x8035 is SLARP on these lines, not RARP.
    if (type > ETHER_LENGTH_MAXIMUM && type != ETHER_TYPE_RARP)
        return decode_ether_type(decoding, packet, type);
    return decode_fail(packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
}

// SNAP without LLC; a pad byte in front (RFC 2427 section 4.1) has been taken.
static enum decoder_id relay_snap(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, RELAY_SNAP_BYTES);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    uint32_t organisation = cursor_u24(&header);
    uint16_t type = cursor_u16(&header);
    decoding->cursor.at += RELAY_SNAP_BYTES;
    if (organisation == 0 && type > ETHER_LENGTH_MAXIMUM)
        return decode_ether_type(decoding, packet, type);
    return decode_fail(packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
}

static enum decoder_id relay_protocol(struct decoding *decoding, struct packet *packet, uint8_t nlpid)
{
    switch (nlpid) {
    case NLPID_IPV4:
        return DECODER_IPV4;
    case NLPID_IPV6:
        return DECODER_IPV6;
    case NLPID_SNAP:
        return relay_snap(decoding, packet);
    default:
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    }
}

// The address ends with the byte whose lowest bit is set: two to four bytes.
static bool skip_relay_address(struct cursor *cursor)
{
    for (unsigned i = 0; i < RELAY_BYTES; i++)
        if (cursor_u8(cursor) & 1)
            return true;
    return false;
}

static enum decoder_id relay_nlpid(struct decoding *decoding, struct packet *packet, struct cursor header)
{
    cursor_skip(&header, 1);
    uint8_t nlpid = cursor_u8(&header);
    if (nlpid == 0)
        nlpid = cursor_u8(&header);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    decoding->cursor = header;
    return relay_protocol(decoding, packet, nlpid);
}

// Cisco's own encapsulation: an EtherType right behind the address.
static enum decoder_id relay_ether_type(struct decoding *decoding, struct packet *packet,
                                        struct cursor header)
{
    uint16_t type = cursor_u16(&header);
    if (header.failed || type <= ETHER_LENGTH_MAXIMUM)
        return decode_fail(packet, DECODE_LAYER_LINK,
                           header.failed ? DECODE_TRUNCATED : DECODE_UNSUPPORTED_TYPE);
    decoding->cursor = header;
    return decode_ether_type(decoding, packet, type);
}

enum decoder_id decode_frame_relay(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding->cursor;
    if (!skip_relay_address(&header))
        return decode_fail(packet, DECODE_LAYER_LINK, header.failed ? DECODE_TRUNCATED : DECODE_BAD_HEADER);
    if (cursor_peek(&header) == RELAY_CONTROL)
        return relay_nlpid(decoding, packet, header);
    return relay_ether_type(decoding, packet, header);
}

void describe_cisco_hdlc(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    describe_layer(fields, "Cisco HDLC", &layer, CISCO_HDLC_BYTES);
    describe_hex(fields, "Address", &layer, 1);
    describe_hex(fields, "Control", &layer, 1);
    describe_hex_named(fields, "Protocol", &layer, 2, ether_type_name);
}

void describe_frame_relay(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    struct cursor header = layer;
    skip_relay_address(&header);
    size_t address = (size_t)(header.at - layer.at);
    describe_layer(fields, "Frame Relay", &layer, address + 2);
    describe_hex(fields, "Address", &layer, address);
    if (cursor_peek(&layer) != RELAY_CONTROL) {
        describe_hex_named(fields, "Type", &layer, 2, ether_type_name);
        return;
    }
    describe_hex(fields, "Control", &layer, 1);
    describe_hex(fields, "Protocol identifier", &layer, 1);
}
