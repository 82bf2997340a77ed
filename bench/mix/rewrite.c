#include "mix/rewrite.h"

#include <stdbool.h>

#include "traffic/conversation.h"

enum {
    ETHERNET_TYPE_AT = 12,
    PPPOE_BYTES = 6,
    IPV4_BYTES = 20,
    IPV6_BYTES = 40,
    NESTED_MAXIMUM = 4, // VLAN tags, and IP in IP
};

enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8, TYPE_PPPOE = 0x8864 };
enum { PROTOCOL_IPV4 = 4, PROTOCOL_IPV6 = 41 };

static unsigned u16_at(const uint8_t *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

static void flip(uint8_t *three, uint32_t mask)
{
    three[0] ^= (uint8_t)(mask >> 16);
    three[1] ^= (uint8_t)(mask >> 8);
    three[2] ^= (uint8_t)mask;
}

static void flip_ipv4(uint8_t *address, uint32_t mask)
{
    bool unicast = address[0] != 0 && address[0] < 224;
    if (unicast)
        flip(address + 1, mask);
}

static void flip_ipv6(uint8_t *address, uint32_t mask)
{
    if (address[0] != 0xff)
        flip(address + 13, mask);
}

// The length of the IPv4 header, 0 when it is none; *next is its protocol.
static uint32_t rewrite_ipv4(uint8_t *ip, uint32_t left, uint32_t mask, unsigned *next)
{
    uint32_t length = left >= IPV4_BYTES ? (uint32_t)(ip[0] & 15) * 4 : 0;
    if (length < IPV4_BYTES || length > left || ip[0] >> 4 != 4)
        return 0;
    flip_ipv4(ip + 12, mask);
    flip_ipv4(ip + 16, mask);
    ipv4_mend_checksum(ip, length);
    bool later_fragment = (u16_at(ip + 6) & 0x1fff) != 0;
    *next = later_fragment ? 0 : ip[9];
    return length;
}

static uint32_t rewrite_ipv6(uint8_t *ip, uint32_t left, uint32_t mask, unsigned *next)
{
    if (left < IPV6_BYTES || ip[0] >> 4 != 6)
        return 0;
    flip_ipv6(ip + 8, mask);
    flip_ipv6(ip + 24, mask);
    *next = ip[6];
    return IPV6_BYTES;
}

static void rewrite_ip(uint8_t *frame, uint32_t at, uint32_t captured, uint32_t mask, bool ipv6)
{
    for (unsigned nested = 0; nested < NESTED_MAXIMUM; nested++) {
        unsigned next = 0;
        uint32_t length = ipv6 ? rewrite_ipv6(frame + at, captured - at, mask, &next)
                               : rewrite_ipv4(frame + at, captured - at, mask, &next);
        if (length == 0 || (next != PROTOCOL_IPV4 && next != PROTOCOL_IPV6))
            return;
        at += length;
        ipv6 = next == PROTOCOL_IPV6;
    }
}

void rewrite_addresses(uint8_t *frame, uint32_t captured, uint32_t mask)
{
    uint32_t at = ETHERNET_TYPE_AT;
    if (mask == 0 || captured < at + 2)
        return;
    unsigned type = u16_at(frame + at);
    for (unsigned tag = 0; tag < NESTED_MAXIMUM && (type == TYPE_VLAN || type == TYPE_QINQ); tag++) {
        at += 4;
        if (captured < at + 2)
            return;
        type = u16_at(frame + at);
    }
    at += 2;
    if (type == TYPE_PPPOE) {
        at += PPPOE_BYTES + 2;
        if (captured < at)
            return;
        unsigned ppp = u16_at(frame + at - 2);
        type = ppp == 0x21 ? TYPE_IPV4 : ppp == 0x57 ? TYPE_IPV6 : 0;
    }
    if (type == TYPE_IPV4 || type == TYPE_IPV6)
        rewrite_ip(frame, at, captured, mask, type == TYPE_IPV6);
}
