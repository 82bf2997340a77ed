// The evidence of all shards in a tick, in the order of the partitions: what detectors merge. Partition p is that of the
// shard p mod their number. Internal to detect/; the aggregate's thread. Memory: 8 bytes a first contact of the largest tick.
#pragma once

#include "detect/evidence.h"

struct tick_evidence {
    const struct evidence *const *shards; // borrowed, as what they hold
    unsigned shard_count;
    const struct contact **contacts; // owned; by partition, each as the shard had them
    unsigned contact_count, room;
    bool one_way[WAYS]; // answers of the protocol are not seen: that one is missing says nothing
};

// Puts the first contacts in order. False: no memory for that, and there are none in this tick.
bool tick_evidence_gather(struct tick_evidence *tick, const struct evidence *const *shards,
                          unsigned shard_count);
void tick_evidence_done(struct tick_evidence *tick);
