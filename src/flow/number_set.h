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

// Of zeros: the empty set.
struct number_set {
    struct number_range *ranges; // owned
    unsigned count;
};

// Takes ranges in any order, which may overlap; they are sorted and joined in place.
struct number_set number_set_of(struct number_range *take_ranges, unsigned count);
void number_set_done(struct number_set *set);

static inline bool number_set_has(const struct number_set *set, wide_number number)
{
    if (set->count == 0)
        return false;
    const struct number_range *at = set->ranges;
    for (unsigned left = set->count;
         left > 1;) { // the last range that begins at the number or before it, or the first
        unsigned half = left / 2;
        at += at[half].first <= number ? half : 0;
        left -= half;
    }
    return at->first <= number && number <= at->last;
}
