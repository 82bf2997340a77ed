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
    candidates->bound_address =
        flow_address_number(candidates->bound.key.addresses[0], candidates->bound.key.ip_version);
}

// Bits of the flows whose keys may be before the bound's.
static uint64_t before_bound(const struct flow_candidates *candidates, const struct flow_faces *faces)
{
    const struct flow_key *bound = &candidates->bound.key;
    uint64_t less = 0, same = 0, address = 0;
    for (unsigned i = faces->count; i-- > 0;) {
        less = less << 1 | (faces->protocol[i] < bound->protocol);
        same = same << 1 | (faces->protocol[i] == bound->protocol);
    }
    if (faces->version != bound->ip_version)
        return faces->version < bound->ip_version ? less | same : less;
    for (unsigned i = faces->count; i-- > 0 && faces->version == 4;)
        address = address << 1 | (faces->address.v4[0][i] <= (uint32_t)candidates->bound_address);
    for (unsigned i = faces->count; i-- > 0 && faces->version != 4;)
        address = address << 1 | (faces->address.v6[0][i] <= candidates->bound_address);
    return less | (same & address);
}

uint64_t candidates_among(const struct flow_candidates *candidates, const struct flow_faces *faces,
                          const uint64_t ranks[], uint64_t of)
{
    uint64_t better = 0, like = 0, bound = candidates->bound.rank;
    if (!candidates->bounded)
        return of;
    for (unsigned i = faces->count; i-- > 0;) {
        better = better << 1 | (ranks[i] > bound);
        like = like << 1 | (ranks[i] == bound);
    }
    like &= of;
    return (better & of) | (like != 0 ? like & before_bound(candidates, faces) : 0);
}

// Protocol, IP version and the first bytes of endpoint A's address: as a number in the order of flow_key_compare().
static uint64_t prefix_of(const struct flow_key *key)
{
    uint64_t prefix = (uint64_t)key->protocol << 8 | key->ip_version;
    for (unsigned i = 0; i < 6; i++)
        prefix = prefix << 8 | key->addresses[0][i];
    return prefix;
}

void candidates_add(struct flow_candidates *candidates, const struct flow_candidate *candidate)
{
    struct flow_candidate own = *candidate;
    own.prefix = prefix_of(&own.key);
    if (candidates->bounded && !is_better(&own, &candidates->bound))
        return;
    candidates->items[candidates->count++] = own;
    if (candidates->count == candidates->room)
        candidates_cut(candidates);
}
