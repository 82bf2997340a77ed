#include "base/slab.h"

#include <stdlib.h>
#include <string.h>

void slab_init(struct slab *slab, size_t node_bytes)
{
    assert(node_bytes >= sizeof(uint32_t));
    *slab = (struct slab){.node_bytes = node_bytes};
}

void slab_done(struct slab *slab)
{
    for (uint32_t i = 0; i < slab->segment_count; i++)
        free(slab->segments[i]);
    free(slab->segments);
    *slab = (struct slab){.node_bytes = slab->node_bytes};
}

static bool slab_add_segment(struct slab *slab)
{
    if (slab->segment_count == slab->segment_room) {
        uint32_t room = slab->segment_room != 0 ? slab->segment_room * 2 : 8;
        uint8_t **segments = realloc(slab->segments, room * sizeof *segments);
        if (segments == NULL)
            return false;
        slab->segments = segments;
        slab->segment_room = room;
    }
    uint8_t *segment = malloc(slab->node_bytes << SLAB_SEGMENT_SHIFT);
    if (segment == NULL)
        return false;
    slab->segments[slab->segment_count++] = segment;
    return true;
}

uint32_t slab_take(struct slab *slab)
{
    uint32_t id = slab->free_head;
    if (id != 0) {
        memcpy(&slab->free_head, slab_at(slab, id), sizeof slab->free_head);
    } else {
        if (slab->fresh == slab->segment_count << SLAB_SEGMENT_SHIFT && !slab_add_segment(slab))
            return 0;
        id = ++slab->fresh;
    }
    memset(slab_at(slab, id), 0, slab->node_bytes);
    slab->used++;
    return id;
}

void slab_free(struct slab *slab, uint32_t id)
{
    assert(id != 0 && id <= slab->fresh && slab->used > 0);
    memcpy(slab_at(slab, id), &slab->free_head, sizeof slab->free_head);
    slab->free_head = id;
    slab->used--;
}

size_t slab_bytes(const struct slab *slab)
{
    return ((size_t)slab->segment_count << SLAB_SEGMENT_SHIFT) * slab->node_bytes +
           slab->segment_room * sizeof *slab->segments;
}
