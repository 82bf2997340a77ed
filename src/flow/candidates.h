// The best so many of many flows, by their ranks and keys: what a shard keeps of the flows that a question fits. Room
// for twice as many as are wanted and a few; whenever it is full the worse half goes, so that a flow costs the same
// however many are wanted and in whatever order they come. Internal to flow/.
#pragma once

#include "flow/face.h"

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
    wide_number bound_address; // of its endpoint A
};

bool candidates_init(struct flow_candidates *candidates, unsigned wanted); // false without memory
void candidates_done(struct flow_candidates *candidates);

// Whether a flow of this rank may be among the best. Many flows may be of one rank: then the first parts of the key say
// so mostly.
static inline bool candidates_want(const struct flow_candidates *candidates, uint64_t rank,
                                   const struct flow_face *face)
{
    const struct flow_candidate *bound = &candidates->bound;
    if (!candidates->bounded || rank != bound->rank)
        return !candidates->bounded || rank > bound->rank;
    if (face->protocol != bound->key.protocol)
        return face->protocol < bound->key.protocol;
    if (face->version != bound->key.ip_version)
        return face->version < bound->key.ip_version;
    return face->address[0] <= candidates->bound_address;
}

void candidates_add(struct flow_candidates *candidates, const struct flow_candidate *candidate);
// Leaves the best in items[0..count), in no order.
void candidates_cut(struct flow_candidates *candidates);
