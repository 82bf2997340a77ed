#include "pipeline/batch.h"

#include <assert.h>
#include <stdlib.h>

bool batch_init(struct batch *batch, unsigned capacity)
{
    *batch = (struct batch){.capacity = capacity};
    batch->items = calloc(capacity, sizeof *batch->items);
    return batch->items != NULL;
}

void batch_done(struct batch *batch)
{
    batch_clear(batch);
    free(batch->items);
    *batch = (struct batch){0};
}

void batch_clear(struct batch *batch)
{
    for (unsigned i = 0; i < batch->chunk_count; i++)
        chunk_release(batch->chunks[i]);
    batch->chunk_count = 0;
    batch->count = 0;
    batch->mark = BATCH_PACKETS;
}

static bool holds_chunk(const struct batch *batch, const struct chunk *chunk)
{
    for (unsigned i = batch->chunk_count; i-- > 0;)
        if (batch->chunks[i] == chunk)
            return true;
    return false;
}

bool batch_has_room(const struct batch *batch, const struct chunk *chunk)
{
    return batch->count < batch->capacity && (batch->chunk_count < BATCH_CHUNKS || holds_chunk(batch, chunk));
}

struct batch_item *batch_add(struct batch *batch, struct chunk *chunk)
{
    assert(batch_has_room(batch, chunk));
    if (!holds_chunk(batch, chunk)) {
        chunk_retain(chunk);
        batch->chunks[batch->chunk_count++] = chunk;
    }
    return &batch->items[batch->count++];
}
