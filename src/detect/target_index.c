#include "detect/target_index.h"

#include <assert.h>

unsigned target_index_find(const struct target_index *index, uint64_t hash)
{
    for (unsigned place = (unsigned)hash & index->mask;; place = (place + 1) & index->mask) {
        if (index->places[place] == 0)
            return TARGET_INDEX_NONE;
        unsigned row = index->places[place] - 1u;
        if (index->hashes[row] == hash)
            return row;
    }
}

void target_index_insert(const struct target_index *index, unsigned row)
{
    unsigned place = (unsigned)index->hashes[row] & index->mask;
    while (index->places[place] != 0) {
        assert(index->places[place] != row + 1);
        place = (place + 1) & index->mask;
    }
    index->places[place] = (uint16_t)(row + 1);
}

// What lies behind the gap moves into it, unless it would come to lie before its own place.
static void close_gap(const struct target_index *index, unsigned gap)
{
    for (unsigned place = (gap + 1) & index->mask; index->places[place] != 0;
         place = (place + 1) & index->mask) {
        unsigned home = (unsigned)index->hashes[index->places[place] - 1u] & index->mask;
        if (((place - home) & index->mask) < ((place - gap) & index->mask))
            continue;
        index->places[gap] = index->places[place];
        gap = place;
    }
    index->places[gap] = 0;
}

void target_index_remove(const struct target_index *index, unsigned row)
{
    unsigned place = (unsigned)index->hashes[row] & index->mask;
    while (index->places[place] != row + 1) {
        assert(index->places[place] != 0);
        place = (place + 1) & index->mask;
    }
    close_gap(index, place);
}
