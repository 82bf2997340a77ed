// Evidence: what a shard gathers for the detectors in one tick. It moves to the aggregate with the shard's report, where
// that of all shards is read in the order of the partitions (tick_evidence.h), so that nothing depends on how many shards
// there are. Bounded by partition; what did not fit is counted. What it takes in a quiet tick lies together: 64 bytes a
// first contact and 250 a target, in memory that is kept from tick to tick. One thread at a time; no clock.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/policy.h"
#include "net/address.h"

// A first word from a source to a target, and what came of it within analysis.anomalies.wait_secs.
enum contact_outcome { CONTACT_ANSWERED, CONTACT_REFUSED, CONTACT_UNANSWERED };
enum contact_probe {
    PROBE_SYN,
    PROBE_FIN,
    PROBE_NULL,
    PROBE_XMAS,
    PROBE_ACK,
    PROBE_UDP,
    PROBE_PING,
    CONTACT_PROBES
};

// In the order of its fields one cache line. Sides: 0 = the source, 1 = the target. Ports are those of the flow's key, so of
// an ICMP echo type and counterpart.
struct contact {
    uint8_t addresses[2][16];
    int64_t began_ns;      // flow time
    int64_t first_seen_ns; // the packet's stamp
    uint16_t ports[2];
    uint32_t tunnel_id;
    uint16_t interface;
    uint8_t tunnel_kind;
    uint8_t ip_version;
    uint8_t protocol;
    uint8_t outcome; // enum contact_outcome
    uint8_t probe;   // enum contact_probe
    uint8_t partition;
};
_Static_assert(sizeof(struct contact) == 64, "a cache line");

enum { CONTACTS_MAXIMUM = 4096 }; // of a partition and tick

struct contact_list {
    struct contact *items; // owned; as they were looked at
    unsigned count, room;
    uint16_t counts[FLOW_PARTITIONS];
};

// What is counted by target: an address, with a port or without.
enum target_kind {
    TARGET_SYN,     // (address, port) of SYNs: [0] SYNs, [1] handshakes that were completed
    TARGET_UNASKED, // address of answers that nobody asked for: [0] they, [1] those taken back
    TARGET_UDP,     // address: [0] UDP packets to it, [1] from it
    TARGET_ICMP,    // the same of ICMP and ICMPv6
    TARGET_KINDS,
};

// Whether answers are seen, told by protocol.
enum way { WAY_TCP, WAY_UDP, WAYS };

// Of flows that were looked at: with payload, and of these, with both directions.
struct seen_ways {
    uint64_t with_payload, two_way;
};

struct target_table; // targets.h

struct evidence {
    struct contact_list contacts;
    struct target_table *targets[TARGET_KINDS]; // owned; NULL = nothing came yet
    struct seen_ways ways[WAYS];
    uint64_t refused; // contacts and targets that found no room
};

struct flow_look;
// The shard's hook where a flow is looked at (flow/look.h): a first contact, if it is one.
void observe_look(struct evidence *evidence, const struct flow_look *look);

void evidence_done(struct evidence *evidence);
// Empties it for the next tick. What a flood made large is given back when a tick has used less than a quarter of it.
void evidence_reset(struct evidence *evidence);
// Whether what has room for so many is to be given back, where so many were used: what a quiet tick takes is kept.
static inline bool evidence_is_excess(unsigned room, unsigned used)
{
    enum { KEPT = 512 };
    return room > KEPT && used < room / 4;
}
