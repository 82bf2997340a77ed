// ARP (RFC 826) and RARP (RFC 903). Addresses are kept of IPv4 over Ethernet only.
#include <string.h>

#include "decode/decoders.h"
#include "decode/describe.h"

enum { ARP_FIXED_BYTES = 8, MAC_BYTES = 6, IPV4_BYTES = 4 };

static struct address take_ipv4(struct cursor *cursor)
{
    uint8_t bytes[IPV4_BYTES];
    cursor_copy(cursor, bytes, sizeof bytes);
    return address_v4(bytes);
}

static void read_ipv4_over_ethernet(struct cursor *cursor, struct packet_arp *arp)
{
    cursor_copy(cursor, arp->sender_mac, MAC_BYTES);
    arp->sender = take_ipv4(cursor);
    cursor_copy(cursor, arp->target_mac, MAC_BYTES);
    arp->target = take_ipv4(cursor);
}

// Hardware Ethernet (or IEEE 802), protocol IPv4 and both lengths to match.
static bool is_ipv4_over_ethernet(struct cursor *fixed)
{
    uint16_t hardware = cursor_u16(fixed);
    uint16_t protocol = cursor_u16(fixed);
    uint16_t lengths = cursor_u16(fixed);
    return (hardware == 1 || hardware == 6) && protocol == ETHER_TYPE_IPV4 &&
           lengths == (MAC_BYTES << 8 | IPV4_BYTES);
}

enum decoder_id decode_arp(struct decoding *decoding, struct packet *packet)
{
    packet->is_arp = true;
    memset(&packet->arp, 0, sizeof packet->arp);
    struct cursor cursor = decoding->cursor;
    bool known = is_ipv4_over_ethernet(&cursor);
    packet->arp.operation = cursor_u16(&cursor);
    struct packet_arp arp = packet->arp;
    if (known)
        read_ipv4_over_ethernet(&cursor, &arp);
    if (cursor.failed)
        return decode_fail(packet, DECODE_LAYER_NETWORK, DECODE_TRUNCATED);
    packet->arp = arp;
    decoding_limit(decoding, (uint32_t)(cursor.at - decoding->cursor.at));
    decoding->cursor = cursor_of(cursor.at, 0);
    return DECODER_NONE;
}

static const char *operation_name(uint64_t operation)
{
    static const char *const names[] = {NULL, "request", "reply", "reverse request", "reverse reply"};
    return operation < sizeof names / sizeof names[0] ? names[operation] : NULL;
}

void describe_arp(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    struct cursor ahead = layer;
    bool known = is_ipv4_over_ethernet(&ahead);
    describe_layer(fields, "ARP", &layer, ARP_FIXED_BYTES + (known ? 2 * (MAC_BYTES + IPV4_BYTES) : 0));
    describe_number(fields, "Hardware type", &layer, 2);
    describe_hex_named(fields, "Protocol type", &layer, 2, ether_type_name);
    describe_number(fields, "Hardware address length", &layer, 1);
    describe_number(fields, "Protocol address length", &layer, 1);
    describe_number_named(fields, "Operation", &layer, 2, operation_name);
    if (!known)
        return;
    describe_mac(fields, "Sender hardware address", &layer);
    describe_ipv4_address(fields, "Sender address", &layer);
    describe_mac(fields, "Target hardware address", &layer);
    describe_ipv4_address(fields, "Target address", &layer);
}
