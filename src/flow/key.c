#include "flow/key.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "flow/community_id.h"

// Of source and target.
struct ports {
    uint16_t from, to;
};

static __attribute__((noinline)) struct ports ports_of_icmp(const struct packet *packet)
{
    bool one_way;
    struct ports ports;
    icmp_ports(packet->ip_protocol, (uint8_t)packet->source_port, (uint8_t)packet->target_port, &ports.from,
               &ports.to, &one_way);
    return ports;
}

static inline struct ports ports_of_packet(const struct packet *packet)
{
    if (!packet->ports_known)
        return (struct ports){0};
    if (ip_protocol_is_icmp(packet->ip_protocol))
        return ports_of_icmp(packet);
    return (struct ports){packet->source_port, packet->target_port};
}

// Puts the addresses in their order. Returns whether the source is endpoint B: the greater one. Four bytes at a time, as
// they were just stored, and without a branch, for which of two it is cannot be foretold.
static inline bool order_v4(const struct packet *packet, struct ports ports, struct flow_key *key)
{
    uint32_t source, target;
    memcpy(&source, packet->source.bytes, sizeof source);
    memcpy(&target, packet->target.bytes, sizeof target);
    bool swapped = ((uint64_t)ntohl(source) << 16 | ports.from) > ((uint64_t)ntohl(target) << 16 | ports.to);
    uint32_t smaller = swapped ? target : source, greater = swapped ? source : target;
    memset(key->addresses, 0, sizeof key->addresses);
    memcpy(key->addresses[0], &smaller, sizeof smaller);
    memcpy(key->addresses[1], &greater, sizeof greater);
    return swapped;
}

static bool order_v6(const struct packet *packet, struct ports ports, struct flow_key *key)
{
    int order = memcmp(packet->source.bytes, packet->target.bytes, sizeof packet->source.bytes);
    bool swapped = order > 0 || (order == 0 && ports.from > ports.to);
    memcpy(key->addresses[swapped], packet->source.bytes, sizeof key->addresses[0]);
    memcpy(key->addresses[!swapped], packet->target.bytes, sizeof key->addresses[0]);
    return swapped;
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

static __attribute__((noinline)) uint64_t tunnel_of_packet(const struct packet_tunnel *tunnel)
{
    switch (tunnel->kind) {
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
    struct ports ports = ports_of_packet(packet);
    bool swapped = packet->source.version == 4 ? order_v4(packet, ports, key) : order_v6(packet, ports, key);
    key->tunnel = packet->tunnel.kind != TUNNEL_NONE ? tunnel_of_packet(&packet->tunnel) : 0;
    key->ports[0] = swapped ? ports.to : ports.from;
    key->ports[1] = swapped ? ports.from : ports.to;
    key->protocol = packet->ip_protocol;
    key->ip_version = packet->source.version;
    key->tunnel_kind = packet->tunnel.kind;
    key->reserved = 0;
    *sender = swapped;
    return true;
}

// An IPv4 key outside tunnels, as it is hashed.
struct words {
    uint64_t word[2];
};

// Put together in registers: fields that were just stored are not loaded as one word.
static inline struct words words_of(const uint8_t smaller[4], const uint8_t greater[4],
                                    const uint16_t ports[2], uint8_t protocol)
{
    uint32_t first, second;
    memcpy(&first, smaller, sizeof first);
    memcpy(&second, greater, sizeof second);
    return (struct words){{
        (uint64_t)first << 32 | second,
        (uint64_t)ports[0] << 32 | (uint64_t)ports[1] << 16 | protocol,
    }};
}

static inline bool is_plain(const struct flow_key *key)
{
    return key->ip_version != 6 && key->tunnel_kind == TUNNEL_NONE;
}

static inline struct words words_of_key(const struct flow_key *key)
{
    return words_of(key->addresses[0], key->addresses[1], key->ports, key->protocol);
}

uint64_t flow_key_hash_v4(const uint8_t addresses[8], const uint16_t ports[2], uint8_t protocol,
                          uint64_t seed)
{
    struct words words = words_of(addresses, addresses + 4, ports, protocol);
    return hash_16_bytes(words.word, seed);
}

uint64_t flow_key_hash(const struct flow_key *key, uint64_t seed)
{
    if (!is_plain(key))
        return hash_bytes(key, sizeof *key, seed);
    struct words words = words_of_key(key);
    return hash_16_bytes(words.word, seed);
}

uint64_t flow_key_place(const struct flow_key *key, uint64_t hash_seed)
{
    if (key->tunnel_kind == TUNNEL_NONE)
        return flow_key_hash(key, hash_seed);
    struct flow_key outside = *key;
    flow_key_leave_tunnel(&outside);
    return flow_key_hash(&outside, hash_seed);
}

static __attribute__((noinline)) uint64_t hash_of_other(const struct flow_key *key, uint64_t hash_seed,
                                                        uint64_t index_seed, uint64_t index_bits)
{
    return (flow_key_place(key, hash_seed) & ~index_bits) | (flow_key_hash(key, index_seed) & index_bits);
}

uint64_t flow_hash(const struct flow_key *key, uint64_t hash_seed, uint64_t index_seed)
{
    static const uint64_t index_bits = (UINT64_C(1) << FLOW_HASH_PLACE) - 1;
    if (!is_plain(key))
        return hash_of_other(key, hash_seed, index_seed, index_bits);
    struct words words = words_of_key(key);
    return (hash_16_bytes(words.word, hash_seed) & ~index_bits) |
           (hash_16_bytes(words.word, index_seed) & index_bits);
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
