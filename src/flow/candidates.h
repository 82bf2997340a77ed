// The best so many of many flows, by their ranks and keys: what a shard keeps of the flows that a question fits. Room
// for twice as many as are wanted and a few; whenever it is full the worse half goes, so that a flow costs the same
// however many are wanted and in whatever order they come. Internal to flow/.
#pragma once

#include "flow/faces.h"

// Zeros, all of them touched; NULL without memory.
void *flow_touched_memory(size_t bytes);

struct flow_candidate {
    uint64_t rank;   // larger is better
    uint64_t prefix; // of the key: flow_key_prefix()
    struct flow_key key;
    uint32_t id;
};

struct flow_candidates {
    struct flow_candidate *items; // owned
    unsigned count, room, wanted;
    bool bounded; // what is worse than `bound` is not wanted any more
    struct flow_candidate bound;
};

// False without memory. Touches all of it: the shard that fills it must not wait for pages.
bool candidates_init(struct flow_candidates *candidates, unsigned wanted);
void candidates_done(struct flow_candidates *candidates);

// Of faces with these ranks, which are bits of `of`, those that may be among the best. Many flows may be of one rank:
// then the beginnings of their keys say so mostly.
uint64_t candidates_among(const struct flow_candidates *candidates, const struct flow_faces *faces,
                          const uint64_t ranks[], uint64_t of);
void candidates_add(struct flow_candidates *candidates, const struct flow_candidate *candidate);
// Leaves the best in items[0..count), in no order.
void candidates_cut(struct flow_candidates *candidates);
