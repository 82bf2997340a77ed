// The flows with the most bytes since they were last asked for, of one partition: a bounded table of
// candidates. Complete while the partition's active flows fit (a few hundred); beyond, a new flow takes the
// place of the smallest in its set and inherits its rank, so that a heavy flow is never missed (Space-Saving,
// Metwally 2005, in sets of eight). What it inherits decides only who is a candidate: the figures that are
// shown, and their order, are what was counted of the flow itself.
// One owner, one thread. Cost: one cache line or two a packet, only when top flows are asked for.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/key.h"

struct top_flow {
    struct flow_key key;
    uint64_t bytes, packets; // since the last reset and while it is a candidate: exact
    uint64_t inherited;      // bytes of those whose place it took: what it may have had before at most
    uint8_t sender;          // of its last packet: 0 = A
};

struct top_table;

struct top_table *top_create(void);
void top_destroy(struct top_table *table);

void top_add(struct top_table *table, const struct flow_key *key, uint64_t hash, uint8_t sender,
             uint32_t bytes);
// Appends the candidates to out[0..count), keeping the `most` largest in order; returns the new count.
unsigned top_merge(const struct top_table *table, struct top_flow *out, unsigned count, unsigned most);
// Puts one candidate into out[0..count), as top_merge() does.
unsigned top_insert(const struct top_flow *candidate, struct top_flow *out, unsigned count, unsigned most);
void top_reset(struct top_table *table);
