#include "base/slab.h"

#include <assert.h>
#include <string.h>

#include "base/poison.h"

bool slab_init(struct slab *slab, size_t node_bytes, uint32_t capacity)
{
    assert(node_bytes >= sizeof(uint32_t) && capacity > 0 && capacity < UINT32_MAX);
    *slab = (struct slab){.node_bytes = node_bytes, .capacity = capacity};
    return arena_reserve(&slab->arena, node_bytes * capacity);
}

void slab_done(struct slab *slab)
{
    unpoison(slab->arena.base, slab->arena.usable); // what is mapped there next is another's
    arena_done(&slab->arena);
    *slab = (struct slab){.node_bytes = slab->node_bytes};
}

// A node that was never out: the arena's bytes are zero. It is written all the same: a page that is read before
// it is written faults twice, and the second time all cores are interrupted.
static uint32_t take_fresh(struct slab *slab)
{
    if (slab->fresh == slab->capacity ||
        !arena_grow(&slab->arena, (size_t)(slab->fresh + 1) * slab->node_bytes))
        return 0;
    assert(slab->fresh < slab->capacity);
    slab->used++;
    uint32_t id = ++slab->fresh;
    unpoison(slab_at(slab, id), slab->node_bytes);
    memset(slab_at(slab, id), 0, slab->node_bytes);
    return id;
}

uint32_t slab_take(struct slab *slab)
{
    uint32_t id = slab->free_head;
    if (id == 0)
        return take_fresh(slab);
    void *node = slab_at(slab, id);
    unpoison(node, slab->node_bytes);
    memcpy(&slab->free_head, node, sizeof slab->free_head);
    assert(slab->free_head <= slab->fresh && slab->free_head != id); // else somebody wrote to a free node
    assert(slab->used < slab->fresh);
    memset(node, 0, slab->node_bytes);
    slab->used++;
    return id;
}

void slab_free(struct slab *slab, uint32_t id)
{
    assert(id != 0 && id <= slab->fresh && slab->used > 0);
    assert(id != slab->free_head); // freed twice in a row
    void *node = slab_at(slab, id);
    memcpy(node, &slab->free_head, sizeof slab->free_head);
    poison(node, slab->node_bytes);
    slab->free_head = id;
    slab->used--;
}

void slab_clear(struct slab *slab)
{
    poison(slab->arena.base, slab_bytes(slab));
    slab->fresh = slab->free_head = slab->used = 0;
}

size_t slab_bytes(const struct slab *slab)
{
    return (size_t)slab->fresh * slab->node_bytes;
}
