#include "detect/first_contacts.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { REGISTER_BITS = 11 };
_Static_assert(1 << REGISTER_BITS == FIRST_CONTACTS_REGISTERS, "a register is chosen by the first bits");

static uint8_t rank_of(uint64_t hash)
{
    uint64_t rest = hash << REGISTER_BITS | UINT64_C(1) << (REGISTER_BITS - 1);
    return (uint8_t)(__builtin_clzll(rest) + 1);
}

// Whether it shows.
static bool note(struct first_contacts *set, uint64_t hash)
{
    uint8_t *rank = &set->rank[hash >> (64 - REGISTER_BITS)], fresh = rank_of(hash);
    if (fresh <= *rank)
        return false;
    set->unseen += ldexp(1, -fresh) - ldexp(1, -*rank);
    *rank = fresh;
    return true;
}

static void become_sketch(struct first_contacts *set)
{
    assert(!set->is_sketch && set->count == FIRST_CONTACTS_EXACT);
    uint64_t member[FIRST_CONTACTS_EXACT];
    memcpy(member, set->member, sizeof member);
    memset(set->rank, 0, sizeof set->rank);
    set->is_sketch = true;
    set->unseen = FIRST_CONTACTS_REGISTERS;
    for (unsigned i = 0; i < FIRST_CONTACTS_EXACT; i++)
        note(set, member[i]);
}

static double add_exactly(struct first_contacts *set, uint64_t hash)
{
    bool found = false;
    for (unsigned i = 0; i < set->count; i++) // without a way out: the compiler compares several at once
        found |= set->member[i] == hash;
    if (found)
        return 0;
    assert(set->count < FIRST_CONTACTS_EXACT);
    set->member[set->count++] = hash;
    if (set->count == FIRST_CONTACTS_EXACT)
        become_sketch(set);
    return 1;
}

double first_contacts_add(struct first_contacts *set, uint64_t hash)
{
    if (!set->is_sketch)
        return add_exactly(set, hash);
    double chance = set->unseen / FIRST_CONTACTS_REGISTERS;
    return note(set, hash) ? 1 / chance : 0;
}
