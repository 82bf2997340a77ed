// The batches of a pipeline with threads, used in turn: shards are done with them in the order in which they
// were sent, so the next one to fill is always the oldest. The source thread's, but for what says otherwise.
#pragma once

#include "pipeline/batch.h"

struct batch_ring {
    struct batch *batches;
    uint8_t *memory; // all they hold, in one piece: what is never filled is never touched
    unsigned count, next;
};

// `count` batches of `packets`; false without memory.
bool batch_ring_init(struct batch_ring *ring, unsigned count, unsigned packets);
void batch_ring_done(struct batch_ring *ring);

// Open when the next batch is empty.
struct latch *batch_ring_next(struct batch_ring *ring);
// Whether the next batch is empty.
bool batch_ring_is_ready(struct batch_ring *ring);
// Whether the older half of all is: who waits for that is not woken for each one.
bool batch_ring_is_half_empty(struct batch_ring *ring);
// Waits until the next batch is empty, at most `timeout_ms`; negative: until the older half is.
bool batch_ring_wait(struct batch_ring *ring, int timeout_ms);
// Any thread, while the ring lives: batches that shards are not done with.
unsigned batch_ring_busy(struct batch_ring *ring);
// The next batch, which must be empty.
struct batch *batch_ring_take(struct batch_ring *ring);
