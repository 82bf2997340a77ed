#include "flow/candidates.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SPARE_ROOM = 512 };

void *flow_touched_memory(size_t bytes)
{
    enum { LINE = 64 };
    size_t whole = (bytes + LINE - 1) / LINE * LINE;
    void *memory = aligned_alloc(LINE, whole); // of calloc() it would come untouched
    return memory != NULL ? memset(memory, 0, whole) : NULL;
}

bool candidates_init(struct flow_candidates *candidates, unsigned wanted)
{
    assert(wanted > 0);
    *candidates = (struct flow_candidates){.room = 2 * wanted + SPARE_ROOM, .wanted = wanted};
    candidates->items = flow_touched_memory(candidates->room * sizeof *candidates->items);
    return candidates->items != NULL;
}

void candidates_done(struct flow_candidates *candidates)
{
    free(candidates->items);
    *candidates = (struct flow_candidates){0};
}

static bool is_better(const struct flow_candidate *one, const struct flow_candidate *other)
{
    if (one->rank != other->rank)
        return one->rank > other->rank;
    if (one->prefix != other->prefix)
        return one->prefix < other->prefix;
    return flow_key_compare(&one->key, &other->key) < 0;
}

static void swap(struct flow_candidate *items, unsigned one, unsigned other)
{
    struct flow_candidate item = items[one];
    items[one] = items[other];
    items[other] = item;
}

// Puts items[first..last) in order around the middle one of three; returns its place.
static unsigned divide(struct flow_candidate *items, unsigned first, unsigned last)
{
    unsigned middle = first + (last - first) / 2, end = last - 1;
    if (is_better(&items[middle], &items[first]))
        swap(items, middle, first);
    if (is_better(&items[end], &items[first]))
        swap(items, end, first);
    if (is_better(&items[end], &items[middle]))
        swap(items, end, middle); // the middle one lies at `middle` now
    swap(items, middle, end);
    unsigned place = first;
    for (unsigned i = first; i < end; i++)
        if (is_better(&items[i], &items[end]))
            swap(items, place++, i);
    swap(items, place, end);
    return place;
}

void candidates_cut(struct flow_candidates *candidates)
{
    unsigned first = 0, last = candidates->count, wanted = candidates->wanted;
    if (candidates->count < wanted)
        return;
    while (last - first > 1) { // until the worst of those that are wanted is at its place
        unsigned place = divide(candidates->items, first, last);
        if (place == wanted - 1)
            break;
        if (place < wanted)
            first = place + 1;
        else
            last = place;
    }
    candidates->count = wanted;
    candidates->bounded = true;
    candidates->bound = candidates->items[wanted - 1];
}

uint64_t candidates_among(const struct flow_candidates *candidates, const struct flow_faces *faces,
                          const uint64_t ranks[], uint64_t of)
{
    uint64_t bound = candidates->bound.rank;
    if (!candidates->bounded)
        return of;
    of &= column_within(ranks, bound, UINT64_MAX);
    uint64_t like = of != 0 ? of & column_within(ranks, bound, bound) : 0;
    if (like == 0)
        return of;
    return (of & ~like) | (like & column_within(faces->key_prefix, 0, candidates->bound.prefix));
}

void candidates_add(struct flow_candidates *candidates, const struct flow_candidate *candidate)
{
    if (candidates->bounded && !is_better(candidate, &candidates->bound))
        return;
    assert(candidates->count < candidates->room);
    candidates->items[candidates->count++] = *candidate;
    if (candidates->count == candidates->room)
        candidates_cut(candidates);
}
