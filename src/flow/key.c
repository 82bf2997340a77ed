#include "flow/key.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "flow/community_id.h"

static void ports_of_packet(const struct packet *packet, uint16_t ports[2])
{
    ports[0] = packet->source_port;
    ports[1] = packet->target_port;
    if (ip_protocol_is_icmp(packet->ip_protocol)) {
        bool one_way;
        icmp_ports(packet->ip_protocol, (uint8_t)packet->source_port, (uint8_t)packet->target_port, &ports[0],
                   &ports[1], &one_way);
    }
}

// Whether the source is endpoint B: the greater one.
static bool source_is_greater(const struct packet *packet, const uint16_t ports[2])
{
    int order;
    if (packet->source.version == 4) {
        uint32_t source, target;
        memcpy(&source, packet->source.bytes, sizeof source);
        memcpy(&target, packet->target.bytes, sizeof target);
        source = ntohl(source);
        target = ntohl(target);
        order = (source > target) - (source < target);
    } else {
        order = memcmp(packet->source.bytes, packet->target.bytes, sizeof packet->source.bytes);
    }
    return order > 0 || (order == 0 && ports[0] > ports[1]);
}

// An IPv4 address is not copied with the zeros behind it: it was just stored, alone.
static void set_addresses(const struct packet *packet, uint8_t from, struct flow_key *key)
{
    if (packet->source.version == 4) {
        memset(key->addresses, 0, sizeof key->addresses);
        memcpy(key->addresses[from], packet->source.bytes, 4);
        memcpy(key->addresses[!from], packet->target.bytes, 4);
    } else {
        memcpy(key->addresses[from], packet->source.bytes, sizeof key->addresses[0]);
        memcpy(key->addresses[!from], packet->target.bytes, sizeof key->addresses[0]);
    }
}

bool flow_tunnel_has_own_ids(enum tunnel_kind kind)
{
    return kind == TUNNEL_VXLAN || kind == TUNNEL_GENEVE;
}

// A digest of the outer endpoints, the same for both directions and in every run.
static uint64_t digest_of_pair(const struct packet_tunnel *tunnel)
{
    uint8_t pair[2][1 + sizeof tunnel->source.bytes];
    bool swapped = address_compare(&tunnel->source, &tunnel->target) > 0;
    const struct address *ends[2] = {swapped ? &tunnel->target : &tunnel->source,
                                     swapped ? &tunnel->source : &tunnel->target};
    for (int end = 0; end < 2; end++) {
        pair[end][0] = ends[end]->version;
        memcpy(pair[end] + 1, ends[end]->bytes, sizeof ends[end]->bytes);
    }
    return hash_bytes(pair, sizeof pair, 0);
}

static uint64_t tunnel_of_packet(const struct packet_tunnel *tunnel)
{
    switch (tunnel->kind) {
    case TUNNEL_NONE:
        return 0;
    case TUNNEL_GRE:
    case TUNNEL_ERSPAN:
    case TUNNEL_GTP_U:
        return digest_of_pair(tunnel);
    default:
        return tunnel->id;
    }
}

bool flow_key_of_packet(const struct packet *packet, struct flow_key *key, uint8_t *sender)
{
    if (packet->source.version == 0)
        return false;
    assert(packet->source.version == packet->target.version);
    uint16_t ports[2] = {0, 0};
    if (packet->ports_known)
        ports_of_packet(packet, ports);

    uint8_t from = source_is_greater(packet, ports);
    set_addresses(packet, from, key);
    key->tunnel = tunnel_of_packet(&packet->tunnel);
    key->ports[from] = ports[0];
    key->ports[!from] = ports[1];
    key->protocol = packet->ip_protocol;
    key->ip_version = packet->source.version;
    key->tunnel_kind = packet->tunnel.kind;
    key->reserved = 0;
    *sender = from;
    return true;
}

// Put together in registers: fields that were just stored are not loaded as one word.
uint64_t flow_key_hash_v4(const uint8_t addresses[8], const uint16_t ports[2], uint8_t protocol,
                          uint64_t seed)
{
    uint32_t first, second;
    memcpy(&first, addresses, sizeof first);
    memcpy(&second, addresses + 4, sizeof second);
    uint64_t words[2] = {
        (uint64_t)first << 32 | second,
        (uint64_t)ports[0] << 32 | (uint64_t)ports[1] << 16 | protocol,
    };
    return hash_16_bytes(words, seed);
}

uint64_t flow_key_hash(const struct flow_key *key, uint64_t seed)
{
    if (key->ip_version == 6 || key->tunnel_kind != TUNNEL_NONE)
        return hash_bytes(key, sizeof *key, seed);
    uint8_t addresses[8];
    memcpy(addresses, key->addresses[0], 4);
    memcpy(addresses + 4, key->addresses[1], 4);
    return flow_key_hash_v4(addresses, key->ports, key->protocol, seed);
}

uint64_t flow_key_place(const struct flow_key *key, uint64_t hash_seed)
{
    if (key->tunnel_kind == TUNNEL_NONE)
        return flow_key_hash(key, hash_seed);
    struct flow_key outside = *key;
    flow_key_leave_tunnel(&outside);
    return flow_key_hash(&outside, hash_seed);
}

uint64_t flow_hash(const struct flow_key *key, uint64_t hash_seed, uint64_t index_seed)
{
    static const uint64_t index_bits = (UINT64_C(1) << FLOW_HASH_PLACE) - 1;
    return (flow_key_place(key, hash_seed) & ~index_bits) | (flow_key_hash(key, index_seed) & index_bits);
}

static int compare_numbers(uint64_t left, uint64_t right)
{
    return (left > right) - (left < right);
}

int flow_key_compare(const struct flow_key *left, const struct flow_key *right)
{
    int order = compare_numbers(left->protocol, right->protocol);
    if (order == 0)
        order = compare_numbers(left->ip_version, right->ip_version);
    for (int side = 0; side < 2 && order == 0; side++) {
        order = memcmp(left->addresses[side], right->addresses[side], sizeof left->addresses[side]);
        if (order == 0)
            order = compare_numbers(left->ports[side], right->ports[side]);
    }
    if (order == 0)
        order = compare_numbers(left->tunnel_kind, right->tunnel_kind);
    if (order == 0)
        order = compare_numbers(left->tunnel, right->tunnel);
    return order;
}
