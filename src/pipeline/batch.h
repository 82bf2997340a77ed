// A batch: decoded packets on their way from the source thread to a shard, with references to the chunks
// that hold their bytes. Whoever holds the batch owns it; it is emptied with batch_clear() before it is
// filled again. Made at start, never on the packet path.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "capture/chunk.h"
#include "decode/packet.h"
#include "flow/key.h"

struct batch_item {
    struct packet packet;
    struct flow_key key;
    uint64_t hash;
    bool has_flow;  // key, hash and sender are set
    uint8_t sender; // the packet's direction in the key
};

enum { BATCH_CHUNKS = 8 }; // chunks that one batch may point into

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
    unsigned chunk_count;
    struct chunk *chunks[BATCH_CHUNKS];
    unsigned count, capacity;
    struct batch_item *items;
};

bool batch_init(struct batch *batch, unsigned capacity);
void batch_done(struct batch *batch);

// Drops the packets and their chunk references.
void batch_clear(struct batch *batch);

// Whether one more packet, with bytes in `chunk`, fits.
bool batch_has_room(const struct batch *batch, const struct chunk *chunk);
// The next item; its packet's bytes lie in `chunk`, of which the batch takes a reference.
struct batch_item *batch_add(struct batch *batch, struct chunk *chunk);
