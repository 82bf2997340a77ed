// The flow key: protocol, two endpoints (the smaller first) and the tunnel they are in. Plain value; pure functions; any
// thread. What tells tunnels apart is the id where both directions have the same (VXLAN, Geneve), and the unordered pair of
// outer endpoints where each has its own (GTP-U, GRE, ERSPAN).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "decode/packet.h"

// Endpoint 0 is A, the smaller by (address bytes, port). Both addresses have the same IP version.
// ICMP and ICMPv6 carry type and code as ports, mapped as Community ID v1 maps them.
struct flow_key {
    uint8_t addresses[2][16]; // IPv4 uses the first four bytes, the rest is zero
    uint64_t tunnel; // tells tunnels of a kind apart: an id, or a digest of the outer endpoints; 0 outside
    uint16_t ports[2];
    uint8_t protocol;
    uint8_t ip_version;  // 4 or 6
    uint8_t tunnel_kind; // enum tunnel_kind
    uint8_t reserved;    // zero: the key is hashed and compared as bytes
};

// The key of an IP packet and the index of its sender in it (0 = A, 1 = B). False for packets that
// belong to no flow (ARP, no IP).
bool flow_key_of_packet(const struct packet *packet, struct flow_key *key, uint8_t *sender);

// Whether tunnels of this kind have an id that both directions share, as a rule.
bool flow_tunnel_has_own_ids(enum tunnel_kind kind);

// Makes it the key of the same endpoints outside of any tunnel.
static inline void flow_key_leave_tunnel(struct flow_key *key)
{
    key->tunnel = 0;
    key->tunnel_kind = TUNNEL_NONE;
}

// Keyed: the same seed gives the same hash everywhere.
uint64_t flow_key_hash(const struct flow_key *key, uint64_t seed);
// The same of an IPv4 key without a tunnel; four bytes each of A and B.
uint64_t flow_key_hash_v4(const uint8_t addresses[8], const uint16_t ports[2], uint8_t protocol,
                          uint64_t seed);

// What a packet carries to its flow: of two hashes, whose seeds differ, the bits from FLOW_HASH_PLACE on of the first,
// which results may depend on (partition, candidates of the top flows), and the bits below of the second, which the index
// uses: nobody who knows the first seed can make flows that fall into one bucket. The first is of the endpoints outside
// of any tunnel, so that all forms of a connection (mirror.h) belong to one partition.
uint64_t flow_key_place(const struct flow_key *key, uint64_t hash_seed);
enum { FLOW_HASH_PLACE = 52 };
uint64_t flow_hash(const struct flow_key *key, uint64_t hash_seed, uint64_t index_seed);

// Order of outputs: protocol, endpoint A, endpoint B, tunnel.
int flow_key_compare(const struct flow_key *left, const struct flow_key *right);
