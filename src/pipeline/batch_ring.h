// The batches of a pipeline with threads, used in turn: shards are done with them in the order in which they
// were sent, so the next one to fill is always the oldest. The source thread's.
#pragma once

#include "pipeline/batch.h"

struct batch_ring {
    struct batch *batches;
    unsigned count, next;
};

// `count` batches of `packets`; false without memory.
bool batch_ring_init(struct batch_ring *ring, unsigned count, unsigned packets);
void batch_ring_done(struct batch_ring *ring);

// Whether the next batch is empty.
bool batch_ring_is_ready(struct batch_ring *ring);
// Waits until it is, at most `timeout_ms`; negative: until half of all are, so that neither side has to wake
// the other for each one.
bool batch_ring_wait(struct batch_ring *ring, int timeout_ms);
// The next batch, which must be empty.
struct batch *batch_ring_take(struct batch_ring *ring);
