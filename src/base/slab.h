// Fixed-size nodes by number: memory comes in segments as it is needed and never moves, freed nodes are
// reused first. Ids start at 1; 0 means none. One owner, one thread. Taking and freeing cost O(1); a
// segment is allocated once for SLAB_SEGMENT nodes, never per packet.
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLAB_SEGMENT_SHIFT = 9, SLAB_SEGMENT = 1 << SLAB_SEGMENT_SHIFT };

struct slab {
    uint8_t **segments;
    size_t node_bytes;
    uint32_t segment_count;
    uint32_t segment_room; // pointers allocated in `segments`
    uint32_t fresh;        // nodes handed out for the first time
    uint32_t free_head;    // id of the last freed node; its first bytes hold the next id
    uint32_t used;         // nodes out now
};

void slab_init(struct slab *slab, size_t node_bytes);
void slab_done(struct slab *slab);

// The id of a node that holds zeros; 0 when there is no memory.
uint32_t slab_take(struct slab *slab);
void slab_free(struct slab *slab, uint32_t id);

static inline void *slab_at(const struct slab *slab, uint32_t id)
{
    uint32_t index = id - 1;
    return slab->segments[index >> SLAB_SEGMENT_SHIFT] + (index & (SLAB_SEGMENT - 1)) * slab->node_bytes;
}

// Bytes allocated.
size_t slab_bytes(const struct slab *slab);
