// Orders of flows: what comes first when flows are listed. Equal ones are ordered by their keys, so that an order never
// depends on which shard a flow is in. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct flow_faces;
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
// The same of those faces that are bits of `of`. Returns for which of them it is right; of the others the record has to
// tell.
uint64_t flow_ranks_of_faces(struct flow_ordering ordering, const struct flow_faces *faces, uint64_t of,
                             uint64_t ranks[]);
unsigned flow_order_parts(enum flow_order order); // that faces need for it: enum flow_face_part

// By rank, then by key: <0, 0, >0.
int flow_order_compare(struct flow_ordering ordering, const struct flow_record *left,
                       const struct flow_record *right);
