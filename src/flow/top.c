#include "flow/top.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TOP_SETS = 32, TOP_WAYS = 8, TOP_SET_SHIFT = 53 };
_Static_assert((int)TOP_SET_SHIFT >= (int)FLOW_HASH_PLACE && TOP_SETS <= 1 << (58 - TOP_SET_SHIFT),
               "bits that results may depend on, and not those of the partition");

struct top_table {
    struct top_flow sets[TOP_SETS][TOP_WAYS]; // bytes 0 = empty
};

struct top_table *top_create(void)
{
    return calloc(1, sizeof(struct top_table));
}

void top_destroy(struct top_table *table)
{
    free(table);
}

static uint64_t rank(const struct top_flow *candidate)
{
    return candidate->bytes + candidate->inherited;
}

void top_add(struct top_table *table, const struct flow_key *key, uint64_t hash, uint8_t sender,
             uint32_t bytes)
{
    struct top_flow *set = table->sets[(hash >> TOP_SET_SHIFT) & (TOP_SETS - 1)];
    struct top_flow *place = &set[0];
    bool known = false;
    for (unsigned way = 0; way < TOP_WAYS && !known; way++) {
        known = set[way].bytes != 0 && memcmp(&set[way].key, key, sizeof *key) == 0;
        if (known || rank(&set[way]) < rank(place))
            place = &set[way];
    }
    if (!known)
        *place = (struct top_flow){.key = *key, .inherited = rank(place)};
    place->sender = sender;
    place->bytes += bytes;
    place->packets++;
}

static bool larger(const struct top_flow *left, const struct top_flow *right)
{
    if (left->bytes != right->bytes)
        return left->bytes > right->bytes;
    return flow_key_compare(&left->key, &right->key) < 0;
}

unsigned top_insert(const struct top_flow *candidate, struct top_flow *out, unsigned count, unsigned most)
{
    if (most == 0 || (count == most && !larger(candidate, &out[count - 1])))
        return count;
    assert(count <= most);
    unsigned at = count < most ? count++ : count - 1;
    for (; at > 0 && larger(candidate, &out[at - 1]); at--)
        out[at] = out[at - 1];
    out[at] = *candidate;
    return count;
}

unsigned top_merge(const struct top_table *table, struct top_flow *out, unsigned count, unsigned most)
{
    const struct top_flow *candidates = &table->sets[0][0];
    for (unsigned i = 0; i < TOP_SETS * TOP_WAYS; i++)
        if (candidates[i].bytes != 0)
            count = top_insert(&candidates[i], out, count, most);
    return count;
}

void top_reset(struct top_table *table)
{
    memset(table, 0, sizeof *table);
}
