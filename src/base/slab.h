// Fixed-size nodes by number, in an arena: they never move, and freed nodes are reused first. Ids start at
// 1; 0 means none. One owner, one thread. Taking and freeing cost O(1). The address sanitizer finds who touches a node
// that is free.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct slab {
    struct arena arena;
    size_t node_bytes;
    uint32_t capacity;  // nodes that the arena has room for
    uint32_t fresh;     // nodes handed out for the first time
    uint32_t free_head; // id of the last freed node; its first bytes hold the next id
    uint32_t used;      // nodes out now
};

// False when the process may have no more address space.
bool slab_init(struct slab *slab, size_t node_bytes, uint32_t capacity);
void slab_done(struct slab *slab);

// The id of a node that holds zeros; 0 when all are out or there is no memory.
uint32_t slab_take(struct slab *slab);
void slab_free(struct slab *slab, uint32_t id);
void slab_clear(struct slab *slab); // frees all nodes, as if none had been out

// For who knows the size of the nodes: often a shift instead of a multiplication.
static inline void *slab_node(const struct slab *slab, uint32_t id, size_t node_bytes)
{
    return slab->arena.base + (size_t)(id - 1) * node_bytes;
}

static inline void *slab_at(const struct slab *slab, uint32_t id)
{
    return slab_node(slab, id, slab->node_bytes);
}

// Bytes of the nodes that were ever out: what the slab may have resident.
size_t slab_bytes(const struct slab *slab);
