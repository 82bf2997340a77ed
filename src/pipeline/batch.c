#include "pipeline/batch.h"

#include <assert.h>
#include <stdlib.h>

size_t batch_bytes(unsigned capacity)
{
    enum { ALIGN = _Alignof(struct batch_item) };
    assert(capacity > 0 && capacity <= BATCH_MAXIMUM);
    size_t bytes = capacity * (sizeof(struct batch_item) + sizeof(uint64_t) + sizeof(uint8_t));
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

void batch_init_at(struct batch *batch, unsigned capacity, void *memory)
{
    assert((uintptr_t)memory % _Alignof(struct batch_item) == 0);
    struct batch_item *items = memory;
    uint64_t *hash = (uint64_t *)(void *)(items + capacity);
    *batch = (struct batch){
        .capacity = capacity, .items = items, .hash = hash, .shard = (uint8_t *)(hash + capacity)};
}

bool batch_init(struct batch *batch, unsigned capacity)
{
    void *memory = aligned_alloc(_Alignof(struct batch_item), batch_bytes(capacity));
    if (memory != NULL)
        batch_init_at(batch, capacity, memory);
    return memory != NULL;
}

void batch_done(struct batch *batch)
{
    batch_clear(batch);
    free(batch->items);
    *batch = (struct batch){0};
}

void batch_clear(struct batch *batch)
{
    assert(batch->chunk_count <= BATCH_CHUNKS && batch->count <= batch->capacity);
    for (unsigned i = 0; i < batch->chunk_count; i++)
        chunk_release(batch->chunks[i]);
    batch->chunk_count = 0;
    batch->count = 0;
    batch->mark = BATCH_PACKETS;
    batch->behind = 0;
}

bool batch_holds_older(const struct batch *batch, const struct chunk *chunk)
{
    for (unsigned i = batch->chunk_count; i-- > 0;)
        if (batch->chunks[i] == chunk)
            return true;
    return false;
}
