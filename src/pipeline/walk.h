// A shard's way through a batch: which packets are its own, and the memory ahead of them asked for early. Internal to
// pipeline/. The shard's thread.
#pragma once

#include "flow/table.h"
#include "pipeline/batch.h"

// The packets of the batch that are this shard's: their places, in order. Without a branch, for which packet
// is whose cannot be foretold.
static inline unsigned walk_find_own(const struct batch *batch, unsigned shard, uint16_t own[BATCH_MAXIMUM])
{
    unsigned count = 0;
    for (unsigned i = 0; i < batch->count; i++) {
        own[count] = (uint16_t)i;
        count += batch->shard[i] == shard;
    }
    return count;
}

PREFETCHING void prefetch_item(const struct batch_item *item)
{
    for (unsigned line = 0; line < BATCH_ITEM_HOT_BYTES; line += 64)
        prefetch_read((const char *)item + line);
}

// Three passes ahead of the work: the index's buckets, the nodes that they name, the parts of the nodes, so
// that the misses of many packets overlap.
enum { AHEAD_BUCKETS = 80, AHEAD_NODES = 56, AHEAD_PARTS = 28, HINTS = 64 };

// A shard's way through a batch: the places of its own packets.
struct walk {
    const struct flow_table *table;
    const struct batch *batch;
    bool names; // payloads are read
    unsigned count;
    uint32_t hints[HINTS]; // which flows the packets behind the second pass may be of
    uint16_t own[BATCH_MAXIMUM];
};

PREFETCHING void ask_for_bucket(const struct walk *walk, unsigned at)
{
    flow_table_prefetch_bucket(walk->table, walk->batch->hash[walk->own[at]]);
    prefetch_item(&walk->batch->items[walk->own[at]]);
}

PREFETCHING void ask_for_node(struct walk *walk, unsigned at)
{
    walk->hints[at % HINTS] = flow_table_prefetch_node(walk->table, walk->batch->hash[walk->own[at]]);
}

PREFETCHING void ask_for_parts(const struct walk *walk, unsigned at)
{
    flow_table_prefetch_parts(walk->table, walk->hints[at % HINTS]);
    if (walk->names)
        prefetch_read(packet_payload(&walk->batch->items[walk->own[at]].packet));
}

static inline unsigned fewer(unsigned left, unsigned right)
{
    return left < right ? left : right;
}

// The first packets, which nothing went ahead of.
static inline void walk_begin(struct walk *walk, const struct flow_table *table, bool names,
                              const struct batch *batch, unsigned shard)
{
    walk->table = table;
    walk->batch = batch;
    walk->names = names;
    walk->count = walk_find_own(batch, shard, walk->own);
    for (unsigned at = 0; at < fewer(walk->count, AHEAD_BUCKETS); at++)
        ask_for_bucket(walk, at);
    for (unsigned at = 0; at < fewer(walk->count, AHEAD_NODES); at++)
        ask_for_node(walk, at);
    for (unsigned at = 0; at < fewer(walk->count, AHEAD_PARTS); at++)
        ask_for_parts(walk, at);
}

PREFETCHING void walk_ahead(struct walk *walk, unsigned at)
{
    if (at + AHEAD_BUCKETS < walk->count)
        ask_for_bucket(walk, at + AHEAD_BUCKETS);
    if (at + AHEAD_NODES < walk->count)
        ask_for_node(walk, at + AHEAD_NODES);
    if (at + AHEAD_PARTS < walk->count)
        ask_for_parts(walk, at + AHEAD_PARTS);
}
