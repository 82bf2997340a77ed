// A batch: decoded packets in their order, with references to the chunks that hold their bytes. The source
// thread fills it, then every shard reads it, each the packets that are its own; when the last shard is done
// with it, the source fills it again. Made at start, never on the packet path.
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/latch.h"
#include "capture/chunk.h"
#include "decode/packet.h"
#include "flow/key.h"

// The key and the first line of the packet are all that most packets need of it.
struct batch_item {
    _Alignas(64) struct flow_key key; // with has_flow
    bool has_flow;
    uint8_t sender; // the packet's direction in the key
    _Alignas(64) struct packet packet;
};

enum { BATCH_ITEM_HOT_BYTES = 128 };

enum {
    BATCH_MAXIMUM = 4096, // packets: the greatest pipeline.batch
    BATCH_CHUNKS = 8,     // chunks that one batch may point into
};

// What a batch carries besides packets, always behind them.
enum batch_mark {
    BATCH_PACKETS,    // nothing
    BATCH_TICK,       // a tick ends here
    BATCH_SOURCE_END, // the last tick, and the end of the source
};

struct batch {
    uint8_t mark;      // enum batch_mark
    int64_t now_ns;    // BATCH_TICK, BATCH_SOURCE_END: the time at which the tick ends
    uint64_t tick;     // number of the tick that ends
    bool interval_end; // the tick ends an interval of top flows too
    uint32_t behind;   // bit i: shard i is so far behind that it gets no packets in this batch (live)
    unsigned chunk_count;
    struct chunk *chunks[BATCH_CHUNKS];
    unsigned count, capacity;
    // By packet. What every shard reads of every packet lies apart: whose it is, and what to fetch ahead.
    struct batch_item *items; // first in the memory that holds the others too
    uint64_t *hash;           // of the key; 0 without one
    uint8_t *shard;
    struct latch done; // open when every shard is done with it
};

// Up to BATCH_MAXIMUM packets. False without memory, and then nothing is to be done with it.
bool batch_init(struct batch *batch, unsigned capacity);
void batch_done(struct batch *batch);
// The same in memory of the caller's, aligned as items are: ends with batch_clear().
size_t batch_bytes(unsigned capacity);
void batch_init_at(struct batch *batch, unsigned capacity, void *memory);

// Drops the packets and their chunk references.
void batch_clear(struct batch *batch);

// Whether the batch holds a reference of the chunk; most often it is the last that it took.
bool batch_holds_older(const struct batch *batch, const struct chunk *chunk);
static inline bool batch_holds(const struct batch *batch, const struct chunk *chunk)
{
    return (batch->chunk_count > 0 && batch->chunks[batch->chunk_count - 1] == chunk) ||
           batch_holds_older(batch, chunk);
}

// Whether one more packet, with bytes in `chunk`, fits.
static inline bool batch_has_room(const struct batch *batch, const struct chunk *chunk)
{
    return batch->count < batch->capacity && (batch->chunk_count < BATCH_CHUNKS || batch_holds(batch, chunk));
}

// The place of the next item, to be filled; it counts once batch_add() was called.
static inline struct batch_item *batch_place(const struct batch *batch)
{
    return &batch->items[batch->count];
}
// Adds that item for a shard; its packet's bytes lie in `chunk` (NULL = elsewhere), of which the batch takes a
// reference.
static inline void batch_add(struct batch *batch, uint64_t hash, unsigned shard, struct chunk *chunk)
{
    assert(batch->count < batch->capacity);
    if (chunk != NULL && !batch_holds(batch, chunk)) {
        assert(batch->chunk_count < BATCH_CHUNKS);
        chunk_retain(chunk);
        batch->chunks[batch->chunk_count++] = chunk;
    }
    batch->hash[batch->count] = hash;
    batch->shard[batch->count] = (uint8_t)shard;
    batch->count++;
}
