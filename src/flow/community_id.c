#include "flow/community_id.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/base64.h"
#include "base/cursor.h"
#include "base/digest.h"
#include "flow/record.h"
#include "net/protocol.h"

enum { NO_COUNTERPART = -1, HASHED_BYTES_MAX = 2 + 16 + 16 + 2 + 4, SHA1_BYTES = COMMUNITY_ID_DIGEST_BYTES };

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

// Type and code of ICMP are hashed as ports.
static bool hashes_ports(uint8_t protocol)
{
    return ip_protocol_has_ports(protocol) || ip_protocol_is_icmp(protocol);
}

// What is hashed, as bytes in network order.
struct hashed {
    uint8_t bytes[HASHED_BYTES_MAX];
    size_t length;
};

static void add_u16(struct hashed *hashed, uint16_t number)
{
    bytes_put_u16(hashed->bytes + hashed->length, number);
    hashed->length += sizeof number;
}

static void add_address(struct hashed *hashed, const struct address *address)
{
    size_t length = address->version == 4 ? 4 : 16;
    assert(hashed->length + length <= sizeof hashed->bytes);
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
    if (hashes_ports(protocol)) {
        add_u16(&hashed, first->port);
        add_u16(&hashed, second->port);
    }
    return hashed;
}

static bool digest_of(const struct endpoint *source, const struct endpoint *target, uint8_t protocol,
                      bool one_way, uint16_t seed, uint8_t into[DIGEST_BYTES_MAX])
{
    if (source->address.version == 0 || source->address.version != target->address.version)
        return false;
    bool swap = !one_way && !in_order(source, target, hashes_ports(protocol));
    struct hashed hashed = hashed_of(swap ? target : source, swap ? source : target, protocol, seed);
    return digest_bytes(DIGEST_SHA1, hashed.bytes, hashed.length, into);
}

bool community_id(const struct endpoint *source, const struct endpoint *target, uint8_t protocol,
                  bool one_way, uint16_t seed, char into[COMMUNITY_ID_TEXT_BYTES])
{
    uint8_t digest[DIGEST_BYTES_MAX];
    into[0] = '\0';
    if (!digest_of(source, target, protocol, one_way, seed, digest))
        return false;
    memcpy(into, "1:", 2);
    base64_encode(digest, SHA1_BYTES, into + 2);
    return true;
}

// The ports of ICMP are mapped already; whether the type has a counterpart decides.
static bool is_one_way(uint8_t protocol, const struct endpoint *client)
{
    uint16_t ports[2];
    bool one_way = false;
    if (ip_protocol_is_icmp(protocol))
        icmp_ports(protocol, (uint8_t)client->port, 0, &ports[0], &ports[1], &one_way);
    return one_way;
}

bool community_id_of(const struct endpoint *client, const struct endpoint *server, uint8_t protocol,
                     char into[COMMUNITY_ID_TEXT_BYTES])
{
    return community_id(client, server, protocol, is_one_way(protocol, client), 0, into);
}

bool flow_community_digest(const struct flow_record *record, uint8_t into[COMMUNITY_ID_DIGEST_BYTES])
{
    const struct endpoint *client = &record->endpoint[record->client == 1];
    const struct endpoint *server = &record->endpoint[record->client != 1];
    uint8_t digest[DIGEST_BYTES_MAX];
    bool one_way = is_one_way(record->protocol, client);
    if (!digest_of(client, server, record->protocol, one_way, 0, digest))
        return false;
    memcpy(into, digest, COMMUNITY_ID_DIGEST_BYTES);
    return true;
}

static int value_of_letter(char letter)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = letter != '\0' ? strchr(letters, letter) : NULL;
    return found != NULL ? (int)(found - letters) : -1;
}

bool community_id_decode(const char *text, uint8_t into[COMMUNITY_ID_DIGEST_BYTES])
{
    enum { LETTERS = 27 }; // and one of padding
    if (strncmp(text, "1:", 2) != 0 || strlen(text) != 2 + LETTERS + 1 || text[2 + LETTERS] != '=')
        return false;
    uint32_t bits = 0;
    unsigned held = 0, bytes = 0;
    for (const char *at = text + 2; *at != '='; at++) {
        int value = value_of_letter(*at);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        into[bytes++] = (uint8_t)(bits >> held);
    }
    return (bits & ((1u << held) - 1)) == 0 && bytes == COMMUNITY_ID_DIGEST_BYTES;
}
