#include "detect/distinct_sources.h"

#include <assert.h>
#include <math.h>
#include <string.h>

// The place of the first that is not below `hash`; without a branch, for none of them could be foretold.
static unsigned place_of(const struct distinct_sources *sources, uint32_t hash)
{
    unsigned place = 0;
    for (unsigned left = sources->count; left > 0;) {
        unsigned half = (left + 1) / 2;
        place += sources->smallest[place + half - 1] < hash ? half : 0;
        left -= half;
    }
    return place;
}

void distinct_sources_add(struct distinct_sources *sources, uint32_t hash)
{
    assert(sources->count <= DISTINCT_SOURCES);
    bool full = sources->count == DISTINCT_SOURCES;
    if (full && hash >= sources->smallest[DISTINCT_SOURCES - 1]) {
        sources->more |= hash != sources->smallest[DISTINCT_SOURCES - 1];
        return;
    }
    unsigned place = place_of(sources, hash);
    if (place < sources->count && sources->smallest[place] == hash)
        return;
    sources->more |= full;
    if (!full)
        sources->count++;
    uint32_t *at = &sources->smallest[place];
    memmove(at + 1, at, (sources->count - 1 - place) * sizeof *at);
    *at = hash;
}

static void merge_some(struct distinct_sources *into, const struct distinct_sources *from)
{
    for (unsigned i = 0; i < from->count; i++)
        distinct_sources_add(into, from->smallest[i]);
}

void distinct_sources_merge(struct distinct_sources *into, const struct distinct_sources *from)
{
    enum { FEW = 4 }; // cheaper one by one
    if (from->count <= FEW) {
        merge_some(into, from);
        return;
    }
    struct distinct_sources all = {.more = into->more || from->more};
    unsigned left = 0, right = 0;
    while (all.count < DISTINCT_SOURCES && (left < into->count || right < from->count)) {
        bool take_right =
            left == into->count || (right < from->count && from->smallest[right] < into->smallest[left]);
        uint32_t hash = take_right ? from->smallest[right] : into->smallest[left];
        left += left < into->count && into->smallest[left] == hash;
        right += right < from->count && from->smallest[right] == hash;
        all.smallest[all.count++] = hash;
    }
    all.more |= left < into->count || right < from->count;
    *into = all;
}

uint64_t distinct_sources_estimate(const struct distinct_sources *sources)
{
    if (!sources->more)
        return sources->count;
    assert(sources->count == DISTINCT_SOURCES);
    double largest = ldexp((double)sources->smallest[DISTINCT_SOURCES - 1] + 1, -32);
    double estimate = (DISTINCT_SOURCES - 1) / largest;
    return estimate < DISTINCT_SOURCES + 1 ? DISTINCT_SOURCES + 1 : (uint64_t)estimate;
}
