#include "pipeline/batch_ring.h"

#include <assert.h>
#include <stdlib.h>

bool batch_ring_init(struct batch_ring *ring, unsigned count, unsigned packets)
{
    assert(count > 0);
    size_t bytes = batch_bytes(packets);
    *ring = (struct batch_ring){.batches = calloc(count, sizeof *ring->batches),
                                .memory = aligned_alloc(_Alignof(struct batch_item), count * bytes)};
    if (ring->batches == NULL || ring->memory == NULL) {
        batch_ring_done(ring);
        return false;
    }
    for (; ring->count < count; ring->count++)
        batch_init_at(&ring->batches[ring->count], packets, ring->memory + ring->count * bytes);
    return true;
}

void batch_ring_done(struct batch_ring *ring)
{
    for (unsigned i = 0; i < ring->count; i++)
        batch_clear(&ring->batches[i]);
    free(ring->batches);
    free(ring->memory);
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

unsigned batch_ring_busy(struct batch_ring *ring)
{
    unsigned busy = 0;
    for (unsigned i = 0; i < ring->count; i++)
        busy += !latch_is_open(&ring->batches[i].done);
    return busy;
}

struct batch *batch_ring_take(struct batch_ring *ring)
{
    struct batch *batch = &ring->batches[ring->next];
    assert(latch_is_open(&batch->done) && batch->count == 0); // no shard reads it
    ring->next = (ring->next + 1) % ring->count;
    return batch;
}
