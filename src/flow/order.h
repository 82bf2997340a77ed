// Orders of flows: what comes first when flows are listed. Equal ones are ordered by their keys, so that an order never
// depends on which shard a flow is in. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct flow_face;
struct flow_record;

// Downwards: the most, the latest, the longest first.
enum flow_order {
    FLOWS_BY_BYTES,
    FLOWS_BY_PACKETS,
    FLOWS_BY_RECENCY, // last seen
    FLOWS_BY_FIRST_SEEN,
    FLOWS_BY_DURATION,
    FLOWS_BY_RETRANSMISSIONS, // flows of which none are known come last, in both directions
    FLOWS_BY_RTT,             // the moving average; likewise
    FLOWS_BY_RATE,            // bits a second over the flow's life; those without a duration come last
    FLOW_ORDERS,
};

struct flow_ordering {
    enum flow_order by;
    bool ascending;
};

// What orders a flow: a larger rank comes first.
uint64_t flow_rank(struct flow_ordering ordering, const struct flow_record *record);
// The same of a face; false when the flow's record has to tell.
bool flow_rank_of_face(struct flow_ordering ordering, const struct flow_face *face, uint64_t *rank);
// Whether flow_rank_of_face() reads face->first_ns, and whether it leaves many flows to their records.
bool flow_order_needs_ends(enum flow_order order);
bool flow_order_needs_parts(enum flow_order order);

// By rank, then by key: <0, 0, >0.
int flow_order_compare(struct flow_ordering ordering, const struct flow_record *left,
                       const struct flow_record *right);
