// The best so many of many flows, by their ranks and keys: what a shard keeps of the flows that a question fits. Room
// for twice as many as are wanted and a few; whenever it is full the worse half goes, so that a flow costs the same
// however many are wanted and in whatever order they come. Internal to flow/.
#pragma once

#include "flow/key.h"

struct flow_candidate {
    uint64_t rank; // larger is better
    struct flow_key key;
    uint32_t id;
};

struct flow_candidates {
    struct flow_candidate *items; // owned
    unsigned count, room, wanted;
    bool bounded; // what is worse than `bound` is not wanted any more
    struct flow_candidate bound;
};

bool candidates_init(struct flow_candidates *candidates, unsigned wanted); // false without memory
void candidates_done(struct flow_candidates *candidates);

// Whether a flow of this rank may be among the best.
static inline bool candidates_want(const struct flow_candidates *candidates, uint64_t rank)
{
    return !candidates->bounded || rank >= candidates->bound.rank;
}

void candidates_add(struct flow_candidates *candidates, const struct flow_candidate *candidate);
// Leaves the best in items[0..count), in no order.
void candidates_cut(struct flow_candidates *candidates);
