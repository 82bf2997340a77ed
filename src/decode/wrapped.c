// What kernels put in front of packets that they hand over: NFLOG (LINKTYPE_NFLOG, netfilter's log) and PKTAP
// (LINKTYPE_PKTAP, Apple's). Both name the interface and process or rule; of them only where the packet begins and what it
// is matters here.
#include "decode/decoders.h"
#include "decode/describe.h"

enum { NFLOG_BYTES = 4, NFLOG_ITEM_BYTES = 4, NFLOG_ITEMS_MAXIMUM = 64, NFLOG_TYPE = 0x7fff };
enum nflog_item { NFLOG_PACKET_HEADER = 1, NFLOG_PAYLOAD = 9 };
enum nflog_family { NFLOG_IPV4 = 2, NFLOG_ARP = 3, NFLOG_IPV6 = 10 };

enum {
    PKTAP_BYTES = 108,
    PKTAP_HEAD_BYTES = 12,
    PKTAP_PACKET = 1,
    PKTAP_NAME_BYTES = 24,
    LINK_TYPE_USER2 = 149
};

// Items are in the byte order of the machine that captured. The first one is short: the wrong order makes it long.
static bool items_are_little_endian(struct cursor items)
{
    struct cursor again = items;
    return cursor_u16le(&items) <= cursor_u16(&again);
}

static enum decoder_id nflog_payload(struct decoding *decoding, struct packet *packet, uint8_t family,
                                     uint16_t ether_type)
{
    if (family == NFLOG_IPV4 || family == NFLOG_IPV6)
        return DECODER_RAW_IP;
    if (family == NFLOG_ARP)
        return DECODER_ARP;
    return decode_ether_type(decoding, packet, ether_type > ETHER_LENGTH_MAXIMUM ? ether_type : UINT16_MAX);
}

// Items run up to the one that holds the packet, whose length may reach beyond what was captured.
enum decoder_id decode_nflog(struct decoding *decoding, struct packet *packet)
{
    struct cursor cursor = decoding->cursor;
    uint8_t family = cursor_u8(&cursor);
    uint8_t version = cursor_u8(&cursor);
    cursor_skip(&cursor, 2);
    if (!cursor.failed && version != 0)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_BAD_VERSION);
    bool little_endian = items_are_little_endian(cursor);
    uint16_t ether_type = 0;
    for (unsigned i = 0; i < NFLOG_ITEMS_MAXIMUM; i++) {
        uint16_t length = cursor_u16_in(&cursor, little_endian);
        uint16_t type = cursor_u16_in(&cursor, little_endian) & NFLOG_TYPE;
        if (cursor.failed || length < NFLOG_ITEM_BYTES)
            return decode_fail(packet, DECODE_LAYER_LINK,
                               cursor.failed ? DECODE_TRUNCATED : DECODE_BAD_LENGTH);
        if (type == NFLOG_PAYLOAD) {
            decoding->cursor = cursor;
            if (!decoding_limit(decoding, length - NFLOG_ITEM_BYTES))
                decode_fail(packet, DECODE_LAYER_LINK, DECODE_BAD_LENGTH);
            return nflog_payload(decoding, packet, family, ether_type);
        }
        struct cursor item = cursor_sub(&cursor, length - NFLOG_ITEM_BYTES);
        if (type == NFLOG_PACKET_HEADER)
            ether_type = cursor_u16(&item);
        cursor_skip(&cursor, -(size_t)length & 3);
    }
    return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TOO_DEEP);
}

enum decoder_id decode_pktap(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, PKTAP_HEAD_BYTES);
    uint32_t bytes = cursor_u32le(&header);
    uint32_t type = cursor_u32le(&header);
    uint32_t link_type = cursor_u32le(&header);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    if (packet->link_type == LINK_TYPE_USER2 && (bytes < PKTAP_BYTES || type > PKTAP_PACKET))
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_LINK); // somebody else's
    if (bytes < PKTAP_BYTES || type != PKTAP_PACKET)
        return decode_fail(packet, DECODE_LAYER_LINK,
                           bytes < PKTAP_BYTES ? DECODE_BAD_LENGTH : DECODE_UNSUPPORTED_TYPE);
    if (bytes > decoding_wire_left(decoding))
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_BAD_LENGTH);
    if (!decoding_skip(decoding, bytes))
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    return decode_link_type(packet, link_type <= UINT16_MAX ? (uint16_t)link_type : UINT16_MAX);
}

void describe_nflog(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    describe_layer(fields, "NFLOG", &layer, NFLOG_BYTES);
    describe_number(fields, "Family", &layer, 1);
    describe_number(fields, "Version", &layer, 1);
    describe_number(fields, "Group", &layer, 2);
}

void describe_pktap(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    struct cursor ahead = layer;
    uint32_t bytes = cursor_u32le(&ahead);
    describe_layer(fields, "PKTAP", &layer, bytes);
    describe_bytes(fields, "Length", &layer, 4);
    describe_bytes(fields, "Record type", &layer, 4);
    describe_bytes(fields, "Link type", &layer, 4);
    describe_bytes(fields, "Interface", &layer, PKTAP_NAME_BYTES);
}
