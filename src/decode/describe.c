#include "decode/describe.h"

#include <assert.h>
#include <stdio.h>

void describe_layer(struct fields *fields, const char *name, const struct cursor *layer, size_t length)
{
    size_t left = cursor_left(layer);
    fields_layer(fields, name, layer->at, length < left ? length : left);
}

// Takes up to eight bytes as one number; false when there are fewer.
static bool take_number(struct cursor *cursor, size_t length, uint64_t *number)
{
    const uint8_t *bytes = cursor_bytes(cursor, length);
    assert(length <= sizeof *number);
    *number = 0;
    if (bytes == NULL)
        return false;
    for (size_t i = 0; i < length; i++)
        *number = *number << 8 | bytes[i];
    return true;
}

uint64_t describe_number(struct fields *fields, const char *name, struct cursor *cursor, size_t length)
{
    uint64_t number;
    if (take_number(cursor, length, &number))
        fields_add(fields, FIELD_TOP, name, cursor->at - length, length, "%llu", (unsigned long long)number);
    return number;
}

uint64_t describe_hex(struct fields *fields, const char *name, struct cursor *cursor, size_t length)
{
    uint64_t number;
    if (take_number(cursor, length, &number))
        fields_add(fields, FIELD_TOP, name, cursor->at - length, length, "0x%0*llx", (int)(2 * length),
                   (unsigned long long)number);
    return number;
}

uint64_t describe_hex_named(struct fields *fields, const char *name, struct cursor *cursor, size_t length,
                            const char *(*name_of)(uint64_t number))
{
    struct cursor ahead = *cursor;
    uint64_t number;
    if (!take_number(&ahead, length, &number) || name_of(number) == NULL)
        return describe_hex(fields, name, cursor, length);
    *cursor = ahead;
    fields_add(fields, FIELD_TOP, name, cursor->at - length, length, "%s (0x%0*llx)", name_of(number),
               (int)(2 * length), (unsigned long long)number);
    return number;
}

uint64_t describe_number_named(struct fields *fields, const char *name, struct cursor *cursor, size_t length,
                               const char *(*name_of)(uint64_t number))
{
    struct cursor ahead = *cursor;
    uint64_t number;
    if (!take_number(&ahead, length, &number) || name_of(number) == NULL)
        return describe_number(fields, name, cursor, length);
    *cursor = ahead;
    fields_add(fields, FIELD_TOP, name, cursor->at - length, length, "%s (%llu)", name_of(number),
               (unsigned long long)number);
    return number;
}

void describe_mac(struct fields *fields, const char *name, struct cursor *cursor)
{
    const uint8_t *mac = cursor_bytes(cursor, 6);
    if (mac != NULL)
        fields_add(fields, FIELD_TOP, name, mac, 6, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                   mac[3], mac[4], mac[5]);
}

static void add_address(struct fields *fields, const char *name, const struct address *address,
                        const uint8_t *at, size_t length)
{
    char text[ADDRESS_TEXT_BYTES];
    fields_add(fields, FIELD_TOP, name, at, length, "%s", address_format(address, text));
}

void describe_ipv4_address(struct fields *fields, const char *name, struct cursor *cursor)
{
    const uint8_t *bytes = cursor_bytes(cursor, 4);
    if (bytes == NULL)
        return;
    struct address address = address_v4(bytes);
    add_address(fields, name, &address, bytes, 4);
}

void describe_ipv6_address(struct fields *fields, const char *name, struct cursor *cursor)
{
    const uint8_t *bytes = cursor_bytes(cursor, 16);
    if (bytes == NULL)
        return;
    struct address address = address_v6(bytes);
    add_address(fields, name, &address, bytes, 16);
}

void describe_bytes(struct fields *fields, const char *name, struct cursor *cursor, size_t length)
{
    const uint8_t *bytes = cursor_bytes(cursor, length);
    if (bytes != NULL)
        fields_add(fields, FIELD_TOP, name, bytes, length, "%zu bytes", length);
}

const char *ether_type_name(uint64_t ether_type)
{
    switch (ether_type) {
    case ETHER_TYPE_IPV4:
        return "IPv4";
    case ETHER_TYPE_IPV6:
        return "IPv6";
    case ETHER_TYPE_ARP:
        return "ARP";
    case ETHER_TYPE_RARP:
        return "RARP";
    case ETHER_TYPE_VLAN:
        return "802.1Q";
    case ETHER_TYPE_QINQ:
    case ETHER_TYPE_QINQ_OLD:
        return "802.1ad";
    case ETHER_TYPE_MPLS:
    case ETHER_TYPE_MPLS_MULTICAST:
        return "MPLS";
    case ETHER_TYPE_CISCO_METADATA:
        return "Cisco metadata";
    case ETHER_TYPE_PPPOE_SESSION:
        return "PPPoE session";
    case ETHER_TYPE_TEB:
        return "Ethernet bridging";
    case 0x880b:
        return "PPP";
    case 0x8863:
        return "PPPoE discovery";
    case 0x888e:
        return "802.1X";
    case 0x88be:
    case 0x22eb:
        return "ERSPAN";
    case 0x88cc:
        return "LLDP";
    default:
        return NULL;
    }
}

const char *ip_protocol_title(uint64_t protocol)
{
    return ip_protocol_name((uint8_t)protocol);
}
