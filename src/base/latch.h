// A latch: one thread closes it for a number of others, each of them arrives once, the last one to arrive
// does what is to be done once and opens it, and the first thread may wait for that. Who waits sleeps in the
// kernel (futex).
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

struct latch {
    atomic_uint word; // who is still to arrive, and one more until it is open; the top bit: somebody waits
};

// The owner, while nobody else knows of the latch. A latch of zeros is open.
void latch_close(struct latch *latch, unsigned count);

// Each of the others. True for the last one: it has seen what all did, and must call latch_open().
bool latch_arrive(struct latch *latch);
void latch_open(struct latch *latch);

// The owner: whether it is open, with everything that was done before.
bool latch_is_open(struct latch *latch);
// Waits for `timeout_ms`, negative = for ever; false when the latch is still closed then.
bool latch_wait(struct latch *latch, int timeout_ms);
