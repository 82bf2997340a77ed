// Linux cooked captures, v1 and v2: what libpcap gives for the "any" device (LINKTYPE_LINUX_SLL, _SLL2).
#include "decode/decoders.h"
#include "decode/describe.h"

enum { SLL_BYTES = 16, SLL2_BYTES = 20, TAG_BYTES = 4, MAC_BYTES = 6 };
// Values of the protocol field that are no EtherType.
enum { COOKED_8023_RAW = 0x0001, COOKED_8022 = 0x0004 };

static enum decoder_id cooked_protocol(struct decoding *decoding, struct packet *packet, uint16_t protocol)
{
    if (protocol > ETHER_LENGTH_MAXIMUM)
        return decode_ether_type(decoding, packet, protocol);
    if (protocol == COOKED_8022)
        return DECODER_LLC;
    return decode_fail(packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
}

// libpcap before 1.4 put the tag that the kernel had kept where an Ethernet header has it: in the last two bytes of the
// address, which an Ethernet address leaves zero, and in the protocol; those two zeros and the protocol follow it.
static bool has_tag_in_address(const struct decoding *decoding)
{
    struct cursor header = decoding_header(decoding, SLL_BYTES + TAG_BYTES);
    cursor_skip(&header, 4);
    uint16_t address_bytes = cursor_u16(&header);
    cursor_skip(&header, MAC_BYTES);
    uint16_t type = cursor_u16(&header);
    cursor_skip(&header, 2);
    uint16_t zeros = cursor_u16(&header);
    return !header.failed && address_bytes == MAC_BYTES && ether_type_is_tag(type) && zeros == 0;
}

static enum decoder_id misplaced_tag(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, SLL_BYTES + TAG_BYTES);
    cursor_skip(&header, SLL_BYTES - 2);
    decode_note_tag(packet, cursor_u16(&header));
    cursor_skip(&header, 2);
    decoding->cursor.at += SLL_BYTES + TAG_BYTES;
    return cooked_protocol(decoding, packet, cursor_u16(&header));
}

enum decoder_id decode_sll(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, SLL_BYTES);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    if (has_tag_in_address(decoding))
        return misplaced_tag(decoding, packet);
    cursor_skip(&header, 14);
    decoding->cursor.at += SLL_BYTES;
    return cooked_protocol(decoding, packet, cursor_u16(&header));
}

enum decoder_id decode_sll2(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, SLL2_BYTES);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    uint16_t protocol = cursor_u16(&header);
    cursor_skip(&header, 2);
    packet->link_interface = cursor_u32(&header);
    decoding->cursor.at += SLL2_BYTES;
    return cooked_protocol(decoding, packet, protocol);
}

static const char *packet_type_name(uint64_t type)
{
    static const char *const names[] = {"to us", "broadcast", "multicast", "to another host", "sent by us"};
    return type < sizeof names / sizeof names[0] ? names[type] : NULL;
}

static const char *cooked_protocol_name(uint64_t protocol)
{
    if (protocol == COOKED_8023_RAW)
        return "802.3 without LLC";
    return protocol == COOKED_8022 ? "802.2 LLC" : ether_type_name(protocol);
}

static void describe_link_address(struct cursor *cursor, struct fields *fields, uint64_t length)
{
    struct cursor address = cursor_sub(cursor, 8);
    if (length == 6)
        describe_mac(fields, "Source", &address);
    else if (length > 0)
        describe_bytes(fields, "Source", &address, length < 8 ? length : 8);
}

void describe_sll(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    describe_layer(fields, "Linux cooked", &layer, SLL_BYTES);
    describe_number_named(fields, "Packet type", &layer, 2, packet_type_name);
    describe_number(fields, "Hardware type", &layer, 2);
    uint64_t length = describe_number(fields, "Address length", &layer, 2);
    describe_link_address(&layer, fields, length);
    describe_hex_named(fields, "Protocol", &layer, 2, cooked_protocol_name);
}

void describe_sll2(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    describe_layer(fields, "Linux cooked v2", &layer, SLL2_BYTES);
    describe_hex_named(fields, "Protocol", &layer, 2, cooked_protocol_name);
    cursor_skip(&layer, 2);
    describe_number(fields, "Interface index", &layer, 4);
    describe_number(fields, "Hardware type", &layer, 2);
    describe_number_named(fields, "Packet type", &layer, 1, packet_type_name);
    uint64_t length = describe_number(fields, "Address length", &layer, 1);
    describe_link_address(&layer, fields, length);
}
