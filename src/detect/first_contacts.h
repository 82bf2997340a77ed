// A set of whom a source has met, which says of each contact what it adds to the number of different ones: 1 when it is
// new and 0 when it is not, exact up to FIRST_CONTACTS_EXACT members. Beyond them a sketch says it: 0, or the reciprocal
// of the chance that a new member shows, so that the sums are right in the mean (HyperLogLog registers read by the
// historic inverse probability estimator; Ting 2014, Cohen 2014). The standard error of the whole sum is
// 0.83 / sqrt(FIRST_CONTACTS_REGISTERS) = 1.8 %; of a window that is a small part of it, larger. Sums over windows need
// no set of their own. 2 KB, O(1) a contact (up to 256 comparisons while exact). Plain value; one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { FIRST_CONTACTS_EXACT = 256, FIRST_CONTACTS_REGISTERS = 2048 };

struct first_contacts {
    uint16_t count; // members, while exact
    bool is_sketch;
    double unseen; // sum of 2^-rank over the registers
    union {
        uint64_t member[FIRST_CONTACTS_EXACT];
        uint8_t rank[FIRST_CONTACTS_REGISTERS];
    };
};
_Static_assert(FIRST_CONTACTS_EXACT * sizeof(uint64_t) == FIRST_CONTACTS_REGISTERS, "they share their place");

// `hash` is of a member, keyed: equal members have equal ones. Starts from zeros.
double first_contacts_add(struct first_contacts *set, uint64_t hash);
