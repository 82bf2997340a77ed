#include "pipeline/batch_ring.h"

#include <stdlib.h>

bool batch_ring_init(struct batch_ring *ring, unsigned count, unsigned packets)
{
    *ring = (struct batch_ring){.batches = calloc(count, sizeof *ring->batches)};
    while (ring->batches != NULL && ring->count < count && batch_init(&ring->batches[ring->count], packets))
        ring->count++;
    if (ring->count == count)
        return true;
    batch_ring_done(ring);
    return false;
}

void batch_ring_done(struct batch_ring *ring)
{
    for (unsigned i = 0; i < ring->count; i++)
        batch_done(&ring->batches[i]);
    free(ring->batches);
    *ring = (struct batch_ring){0};
}

struct latch *batch_ring_next(struct batch_ring *ring)
{
    return &ring->batches[ring->next].done;
}

bool batch_ring_is_ready(struct batch_ring *ring)
{
    return latch_is_open(batch_ring_next(ring));
}

// They come back in order: with the one in the middle come all before it.
static struct latch *half(struct batch_ring *ring)
{
    return &ring->batches[(ring->next + ring->count / 2) % ring->count].done;
}

bool batch_ring_is_half_empty(struct batch_ring *ring)
{
    return latch_is_open(half(ring));
}

bool batch_ring_wait(struct batch_ring *ring, int timeout_ms)
{
    return latch_wait(timeout_ms >= 0 ? &ring->batches[ring->next].done : half(ring), timeout_ms);
}

struct batch *batch_ring_take(struct batch_ring *ring)
{
    struct batch *batch = &ring->batches[ring->next];
    ring->next = (ring->next + 1) % ring->count;
    return batch;
}
