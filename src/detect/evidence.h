// Evidence: what a shard gathers for the detectors in one tick, by partition, so that it does not depend on how many
// shards there are. It moves to the aggregate with the shard's report. Every list is bounded; what did not fit is
// counted. One thread at a time; no clock.
#pragma once

#include <stdbool.h>
#include <stdint.h>

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
};
_Static_assert(sizeof(struct contact) <= 64, "a cache line");

enum { CONTACTS_MAXIMUM = 4096 }; // of a partition and tick

struct contact_list {
    struct contact *items; // owned
    unsigned count, room;
};

// What is counted by target: an address, with a port or without.
enum target_kind {
    TARGET_SYN,     // (address, port) of SYNs: [0] SYNs, [1] handshakes that were completed
    TARGET_UNASKED, // address of answers that nobody asked for: [0] SYN-ACKs, [1] UDP from amplifiers' ports
    TARGET_UDP,     // address: [0] UDP packets to it, [1] from it
    TARGET_ICMP,    // the same of ICMP and ICMPv6
    TARGET_KINDS,
};

struct target_table; // targets.h

struct partition_evidence {
    struct contact_list contacts;
    struct target_table *targets[TARGET_KINDS]; // owned; NULL = nothing came yet
    // Of flows that were looked at: with payload, and of these, with both directions.
    uint64_t with_payload, two_way;
    uint64_t refused; // contacts and targets that found no room
};

struct flow_look;
// The shard's hook where a flow is looked at (flow/look.h): a first contact, if it is one.
void observe_look(struct partition_evidence *evidence, const struct flow_look *look);

void partition_evidence_done(struct partition_evidence *evidence);
// Empties it for the next tick; what a flood made large is given back.
void partition_evidence_reset(struct partition_evidence *evidence);
