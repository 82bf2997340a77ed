// A set of numbers, as ranges that are sorted and lie apart: addresses, ports, tunnel ids. Made once, then read by
// any thread. A look costs a step for every doubling of the ranges, without a branch that is hard to foretell.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 wide_number; // an IPv6 address is one

struct number_range {
    wide_number first, last; // both belong to it
};

struct narrow_range {
    uint32_t first, last;
};

// Of zeros: the empty set. Numbers of at most 32 bits are kept as such where they are all that is looked for.
struct number_set {
    struct number_range *ranges; // owned
    struct narrow_range *narrow; // owned, instead of the others
    unsigned count;
};

// Takes ranges in any order, which may overlap; they are sorted and joined in place.
struct number_set number_set_of(struct number_range *take_ranges, unsigned count);
// The same of 32 bits; false without memory.
bool number_set_narrow(struct number_range *take_ranges, unsigned count, struct number_set *out);
void number_set_done(struct number_set *set);

// The last range that begins at the number or before it, or the first, without a branch for each step.
static inline bool number_set_has_wide(const struct number_set *set, wide_number number)
{
    if (set->count == 0)
        return false;
    const struct number_range *at = set->ranges;
    for (unsigned left = set->count; left > 1;) {
        unsigned half = left / 2;
        at += half & (0u - (at[half].first <= number)); // or it becomes a branch
        left -= half;
    }
    return at->first <= number && number <= at->last;
}

// Of a narrow set.
static inline bool number_set_has(const struct number_set *set, uint32_t number)
{
    if (set->count == 0)
        return false;
    const struct narrow_range *at = set->narrow;
    for (unsigned left = set->count; left > 1;) {
        unsigned half = left / 2;
        at += half & (0u - (at[half].first <= number)); // or it becomes a branch
        left -= half;
    }
    return at->first <= number && number <= at->last;
}
