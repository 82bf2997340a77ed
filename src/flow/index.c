#include "flow/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { INDEX_FIRST_BUCKETS = 16 };

bool flow_index_init(struct flow_index *index, uint32_t entries, index_hash_function *hash_of,
                     const void *owner)
{
    *index = (struct flow_index){
        .hash_of = hash_of,
        .owner = owner,
        .buckets = INDEX_FIRST_BUCKETS,
        .mask = INDEX_FIRST_BUCKETS - 1,
    };
    size_t most = (size_t)entries / INDEX_FILL + INDEX_FIRST_BUCKETS;
    if (arena_reserve(&index->arena, most * sizeof(struct index_bucket)) &&
        arena_grow(&index->arena, INDEX_FIRST_BUCKETS * sizeof(struct index_bucket)) &&
        slab_init(&index->overflow, sizeof(struct index_bucket), entries))
        return true;
    flow_index_done(index);
    return false;
}

void flow_index_done(struct flow_index *index)
{
    arena_done(&index->arena);
    slab_done(&index->overflow);
    *index = (struct flow_index){0};
}

static bool place_into(struct index_bucket *bucket, uint16_t tag, uint32_t id)
{
    assert(id != 0);
    for (unsigned place = 0; place < INDEX_PLACES; place++) {
        if (bucket->ids[place] == 0) {
            bucket->ids[place] = id;
            bucket->tags[place] = tag;
            return true;
        }
    }
    return false;
}

// Puts an entry into the chain of a bucket; false without memory.
static bool chain_insert(struct flow_index *index, uint32_t number, uint16_t tag, uint32_t id)
{
    struct index_bucket *bucket = flow_index_bucket(index, number);
    while (!place_into(bucket, tag, id)) {
        if (bucket->overflow == 0)
            bucket->overflow = slab_take(&index->overflow);
        if (bucket->overflow == 0)
            return false;
        bucket = slab_at(&index->overflow, bucket->overflow);
    }
    return true;
}

// Moves every entry of `number` to the bucket that the finer mask names.
static bool redistribute(struct flow_index *index, uint32_t number)
{
    struct index_bucket chain = *flow_index_bucket(index, number);
    memset(flow_index_bucket(index, number), 0, sizeof chain);
    for (;;) {
        for (unsigned place = 0; place < INDEX_PLACES; place++) {
            if (chain.ids[place] == 0)
                continue;
            uint64_t hash = index->hash_of(index->owner, chain.ids[place]);
            assert(flow_index_tag(hash) == chain.tags[place]); // the flow's key is what it was
            if (!chain_insert(index, flow_index_bucket_number(index, hash), chain.tags[place],
                              chain.ids[place]))
                return false;
        }
        uint32_t further = chain.overflow;
        if (further == 0)
            return true;
        chain = *(const struct index_bucket *)slab_at(&index->overflow, further);
        slab_free(&index->overflow, further);
    }
}

// Adds one bucket and splits the one it stands for.
static bool split(struct flow_index *index)
{
    uint32_t added = index->buckets;
    if (!arena_grow(&index->arena, ((size_t)added + 1) * sizeof(struct index_bucket)))
        return false;
    memset(flow_index_bucket(index, added), 0, sizeof(struct index_bucket)); // see slab.c: written first
    uint32_t split_from = added & index->mask;
    assert(split_from < added && added <= index->mask * 2 + 1);
    index->buckets++;
    bool whole = redistribute(index, split_from);
    assert(whole); // the entries fit where they were: two buckets now stand for one
    if (index->buckets == (index->mask + 1) * 2)
        index->mask = index->mask * 2 + 1;
    return whole;
}

bool flow_index_insert(struct flow_index *index, uint64_t hash, uint32_t id)
{
    if (index->entries >= index->buckets * INDEX_FILL && !split(index) &&
        index->entries >= index->buckets * INDEX_PLACES)
        return false;
    if (!chain_insert(index, flow_index_bucket_number(index, hash), flow_index_tag(hash), id))
        return false;
    index->entries++;
    return true;
}

static unsigned place_of(const struct index_bucket *bucket, uint32_t id)
{
    unsigned place = 0;
    while (place < INDEX_PLACES && bucket->ids[place] != id)
        place++;
    return place;
}

static bool is_empty(const struct index_bucket *bucket)
{
    for (unsigned place = 0; place < INDEX_PLACES; place++)
        if (bucket->ids[place] != 0)
            return false;
    return true;
}

// Takes the overflow bucket behind `before` out of its chain.
static void free_overflow(struct flow_index *index, struct index_bucket *before)
{
    uint32_t id = before->overflow;
    assert(id != 0);
    before->overflow = ((const struct index_bucket *)slab_at(&index->overflow, id))->overflow;
    slab_free(&index->overflow, id);
}

void flow_index_remove(struct flow_index *index, uint64_t hash, uint32_t id)
{
    struct index_bucket *bucket = flow_index_bucket(index, flow_index_bucket_number(index, hash));
    struct index_bucket *before = NULL;
    unsigned place;
    while ((place = place_of(bucket, id)) == INDEX_PLACES) {
        assert(bucket->overflow != 0);
        before = bucket;
        bucket = slab_at(&index->overflow, bucket->overflow);
    }
    assert(bucket->tags[place] == flow_index_tag(hash) && index->entries > 0);
    bucket->ids[place] = 0;
    bucket->tags[place] = 0;
    index->entries--;
    if (before != NULL && is_empty(bucket))
        free_overflow(index, before);
}

void flow_index_clear(struct flow_index *index)
{
    memset(index->arena.base, 0, (size_t)index->buckets * sizeof(struct index_bucket));
    slab_clear(&index->overflow);
    index->entries = 0;
}

size_t flow_index_bytes(const struct flow_index *index)
{
    return (size_t)index->buckets * sizeof(struct index_bucket) + slab_bytes(&index->overflow);
}
