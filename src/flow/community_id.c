#include "flow/community_id.h"

#include <stddef.h>
#include <string.h>

#include "base/base64.h"
#include "base/digest.h"
#include "net/protocol.h"

enum { NO_COUNTERPART = -1, HASHED_BYTES_MAX = 2 + 16 + 16 + 2 + 4, SHA1_BYTES = 20 };

_Static_assert(2 + BASE64_TEXT_BYTES(SHA1_BYTES) <= COMMUNITY_ID_TEXT_BYTES, "the text fits");

static int icmp_counterpart(uint8_t type)
{
    switch (type) {
    case 0: // echo reply, echo
        return 8;
    case 8:
        return 0;
    case 9: // router advertisement, solicitation
        return 10;
    case 10:
        return 9;
    case 13: // timestamp and its reply
        return 14;
    case 14:
        return 13;
    case 15: // information and its reply
        return 16;
    case 16:
        return 15;
    case 17: // address mask and its reply
        return 18;
    case 18:
        return 17;
    default:
        return NO_COUNTERPART;
    }
}

static int icmpv6_counterpart(uint8_t type)
{
    switch (type) {
    case 128: // echo and its reply
        return 129;
    case 129:
        return 128;
    case 130: // listener query, report
        return 131;
    case 131:
        return 130;
    case 133: // router solicitation, advertisement
        return 134;
    case 134:
        return 133;
    case 135: // neighbour solicitation, advertisement
        return 136;
    case 136:
        return 135;
    case 139: // node information query, response
        return 140;
    case 140:
        return 139;
    case 144: // home agent discovery and its reply
        return 145;
    case 145:
        return 144;
    default:
        return NO_COUNTERPART;
    }
}

void icmp_ports(uint8_t protocol, uint8_t type, uint8_t code, uint16_t *source_port, uint16_t *target_port,
                bool *one_way)
{
    int counterpart = protocol == IP_PROTOCOL_ICMPV6 ? icmpv6_counterpart(type) : icmp_counterpart(type);
    *one_way = counterpart == NO_COUNTERPART;
    *source_port = type;
    *target_port = *one_way ? code : (uint16_t)counterpart;
}

static bool has_ports(uint8_t protocol)
{
    return protocol == IP_PROTOCOL_TCP || protocol == IP_PROTOCOL_UDP || protocol == IP_PROTOCOL_SCTP ||
           protocol == IP_PROTOCOL_ICMP || protocol == IP_PROTOCOL_ICMPV6;
}

// What is hashed, as bytes in network order.
struct hashed {
    uint8_t bytes[HASHED_BYTES_MAX];
    size_t length;
};

static void add_u16(struct hashed *hashed, uint16_t number)
{
    hashed->bytes[hashed->length++] = (uint8_t)(number >> 8);
    hashed->bytes[hashed->length++] = (uint8_t)number;
}

static void add_address(struct hashed *hashed, const struct address *address)
{
    size_t length = address->version == 4 ? 4 : 16;
    memcpy(hashed->bytes + hashed->length, address->bytes, length);
    hashed->length += length;
}

static bool in_order(const struct endpoint *first, const struct endpoint *second, bool ports)
{
    int addresses = address_compare(&first->address, &second->address);
    return addresses != 0 ? addresses < 0 : !ports || first->port <= second->port;
}

static struct hashed hashed_of(const struct endpoint *first, const struct endpoint *second, uint8_t protocol,
                               uint16_t seed)
{
    struct hashed hashed = {.length = 0};
    add_u16(&hashed, seed);
    add_address(&hashed, &first->address);
    add_address(&hashed, &second->address);
    add_u16(&hashed, (uint16_t)(protocol << 8)); // a byte of padding follows it
    if (has_ports(protocol)) {
        add_u16(&hashed, first->port);
        add_u16(&hashed, second->port);
    }
    return hashed;
}

bool community_id(const struct endpoint *source, const struct endpoint *target, uint8_t protocol,
                  bool one_way, uint16_t seed, char into[COMMUNITY_ID_TEXT_BYTES])
{
    into[0] = '\0';
    if (source->address.version == 0 || source->address.version != target->address.version)
        return false;
    bool swap = !one_way && !in_order(source, target, has_ports(protocol));
    struct hashed hashed = hashed_of(swap ? target : source, swap ? source : target, protocol, seed);
    uint8_t digest[DIGEST_BYTES_MAX];
    if (!digest_bytes(DIGEST_SHA1, hashed.bytes, hashed.length, digest))
        return false;
    memcpy(into, "1:", 2);
    base64_encode(digest, SHA1_BYTES, into + 2);
    return true;
}
