// The faces of flows: what their nodes tell with few looks at their parts, read once for all who ask about them. Up to 64
// at a time, as columns (flow/column.h). Internal to flow/.
#pragma once

#include "flow/column.h"
#include "flow/number_set.h"
#include "flow/store.h"

enum { FLOW_FACES = COLUMN_PLACES };

// What is wanted besides figures and the beginning of the key, in bits: it costs more.
enum flow_face_part {
    FLOW_FACE_ENDS = 1 << 0,    // first_ns
    FLOW_FACE_QUALITY = 1 << 1, // rtt_ns, retransmissions
    FLOW_FACE_FIELDS = 1 << 2,  // what else filters ask for
    FLOW_FACE_ALL = FLOW_FACE_ENDS | FLOW_FACE_QUALITY | FLOW_FACE_FIELDS,
};

struct flow_faces {
    unsigned count;
    uint8_t version; // of IP, of all of them
    uint32_t id[FLOW_FACES];
    uint64_t key_prefix[FLOW_FACES]; // flow_key_prefix()
    uint64_t bytes[FLOW_FACES];      // both directions
    uint64_t packets[FLOW_FACES];    // exact without `extra`
    int64_t last_ns[FLOW_FACES];     // flow time; that of records without `extra`
    int64_t first_ns[FLOW_FACES];    // likewise
    uint64_t rtt_ns[FLOW_FACES], retransmissions[FLOW_FACES];
    union {
        uint32_t v4[2][FLOW_FACES]; // as numbers
        wide_number v6[2][FLOW_FACES];
    } address;
    uint32_t port[2][FLOW_FACES], protocol[FLOW_FACES], tcp_state[FLOW_FACES];
    uint32_t interface[FLOW_FACES], vlan[FLOW_FACES];
    // Bits, by place:
    uint64_t extra;         // has such a part
    uint64_t rtt, counted;  // has an RTT; its retransmissions are counted
    uint64_t ports;         // `port` are ports
    uint64_t client, roles; // the client is B; it is known who is
    uint64_t tagged;        // has a VLAN
    uint64_t tunnel;        // is in one
};

static inline void flow_faces_clear(struct flow_faces *faces, uint8_t version)
{
    faces->count = 0;
    faces->version = version;
    faces->extra = faces->rtt = faces->counted = faces->ports = 0;
    faces->client = faces->roles = faces->tagged = faces->tunnel = 0;
}

static inline uint64_t flow_faces_all(const struct flow_faces *faces)
{
    return faces->count == FLOW_FACES ? UINT64_MAX : (UINT64_C(1) << faces->count) - 1;
}

struct flow_table;

void flow_faces_add(struct flow_faces *faces, const struct flow_table *table, uint32_t id, unsigned parts);
void flow_faces_add_record(struct flow_faces *faces, const struct flow_record *record);

wide_number flow_address_number(const uint8_t *bytes, uint8_t version);

// What a key begins with, as a number in the order of flow_key_compare(): protocol, IP version and the first six bytes of
// endpoint A's address.
uint64_t flow_key_prefix(uint8_t protocol, uint8_t version, const uint8_t *address);

static inline bool flow_counts_retransmissions(const struct flow_record *record)
{
    return record->protocol == IP_PROTOCOL_TCP && record->has_quality && !record->no_retransmissions;
}

// How long a flow lasted: stamps of hostile captures may lie further apart than fits, or the wrong way round.
static inline uint64_t flow_span_ns(int64_t first_ns, int64_t last_ns)
{
    int64_t span_ns;
    if (__builtin_sub_overflow(last_ns, first_ns, &span_ns))
        return last_ns > first_ns ? INT64_MAX : 0;
    return span_ns > 0 ? (uint64_t)span_ns : 0;
}
