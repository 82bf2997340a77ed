// The face of a flow: what its node tells without a look at its parts, read once for all who ask about the flow.
// Internal to flow/.
#pragma once

#include "flow/number_set.h"
#include "flow/store.h"

struct flow_face {
    wide_number address[2]; // as numbers
    uint64_t bytes;         // both directions
    uint64_t packets;       // exact without `has_extra`
    int64_t first_ns;       // flow time; with the ends only
    int64_t last_ns;        // flow time: the record's too without `has_extra`
    uint16_t port[2];
    uint16_t interface, vlan;
    uint8_t version, protocol, tcp_state;
    int8_t client;  // as in records
    bool has_ports; // `port` are ports
    bool has_vlan;
    bool has_tunnel;
    bool has_extra;   // names, further interfaces, an offset of the clock...
    bool has_quality; // may have measured something
};

// `ends`: first_ns is wanted, which lies elsewhere than the node.
void flow_face_of_node(const struct flow_store *store, uint32_t id, bool ends, struct flow_face *face);
void flow_face_of_record(const struct flow_record *record, struct flow_face *face);

wide_number flow_face_number(const uint8_t *bytes, uint8_t version); // of an address

// How long a flow lasted: stamps of hostile captures may lie further apart than fits, or the wrong way round.
static inline uint64_t flow_span_ns(int64_t first_ns, int64_t last_ns)
{
    int64_t span_ns;
    if (__builtin_sub_overflow(last_ns, first_ns, &span_ns))
        return last_ns > first_ns ? INT64_MAX : 0;
    return span_ns > 0 ? (uint64_t)span_ns : 0;
}
