#include "flow/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { INDEX_FIRST_BUCKETS = 16 };

static bool add_segment(struct flow_index *index)
{
    if (index->segment_count == index->segment_room) {
        uint32_t room = index->segment_room != 0 ? index->segment_room * 2 : 4;
        struct index_bucket **segments = realloc(index->segments, room * sizeof *segments);
        if (segments == NULL)
            return false;
        index->segments = segments;
        index->segment_room = room;
    }
    size_t bytes = INDEX_SEGMENT * sizeof(struct index_bucket);
    struct index_bucket *segment = aligned_alloc(64, bytes);
    if (segment == NULL)
        return false;
    index->segments[index->segment_count++] = segment;
    return true;
}

bool flow_index_init(struct flow_index *index, index_hash_function *hash_of, const void *owner)
{
    *index = (struct flow_index){.hash_of = hash_of, .owner = owner};
    if (!add_segment(index))
        return false;
    memset(index->segments[0], 0, INDEX_FIRST_BUCKETS * sizeof(struct index_bucket));
    index->buckets = INDEX_FIRST_BUCKETS;
    index->mask = INDEX_FIRST_BUCKETS - 1;
    return true;
}

void flow_index_done(struct flow_index *index)
{
    for (uint32_t i = 0; i < index->segment_count; i++)
        free(index->segments[i]);
    free(index->segments);
    free(index->overflow);
    *index = (struct flow_index){0};
}

// A zeroed overflow bucket's number, 0 without memory. May move the overflow array.
static uint32_t take_overflow(struct flow_index *index)
{
    uint32_t number = index->overflow_free;
    if (number != 0) {
        index->overflow_free = index->overflow[number].overflow;
    } else {
        if (index->overflow_count == index->overflow_room) {
            uint32_t room = index->overflow_room != 0 ? index->overflow_room * 2 : 4;
            struct index_bucket *larger = aligned_alloc(64, room * sizeof *larger);
            if (larger == NULL)
                return 0;
            if (index->overflow != NULL)
                memcpy(larger, index->overflow, index->overflow_count * sizeof *larger);
            free(index->overflow);
            index->overflow = larger;
            index->overflow_room = room;
            if (index->overflow_count == 0)
                index->overflow_count = 1; // number 0 means none
        }
        number = index->overflow_count++;
    }
    memset(&index->overflow[number], 0, sizeof index->overflow[number]);
    return number;
}

static bool place_into(struct index_bucket *bucket, uint16_t tag, uint32_t id)
{
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
    uint32_t at = 0; // the bucket's number in `overflow`, 0 = the first of the chain
    while (!place_into(bucket, tag, id)) {
        if (bucket->overflow == 0) {
            uint32_t further = take_overflow(index);
            if (further == 0)
                return false;
            if (at != 0)
                bucket = &index->overflow[at]; // the array may have moved
            bucket->overflow = further;
        }
        at = bucket->overflow;
        bucket = &index->overflow[at];
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
            if (!chain_insert(index, flow_index_bucket_number(index, hash), chain.tags[place],
                              chain.ids[place]))
                return false;
        }
        uint32_t further = chain.overflow;
        if (further == 0)
            return true;
        chain = index->overflow[further];
        index->overflow[further].overflow = index->overflow_free;
        index->overflow_free = further;
    }
}

// Adds one bucket and splits the one it stands for.
static bool split(struct flow_index *index)
{
    uint32_t added = index->buckets;
    if (added >> INDEX_SEGMENT_SHIFT == index->segment_count && !add_segment(index))
        return false;
    memset(flow_index_bucket(index, added), 0, sizeof(struct index_bucket));
    uint32_t split_from = added & index->mask;
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
    uint32_t number = before->overflow;
    before->overflow = index->overflow[number].overflow;
    index->overflow[number].overflow = index->overflow_free;
    index->overflow_free = number;
}

void flow_index_remove(struct flow_index *index, uint64_t hash, uint32_t id)
{
    struct index_bucket *bucket = flow_index_bucket(index, flow_index_bucket_number(index, hash));
    struct index_bucket *before = NULL;
    unsigned place;
    while ((place = place_of(bucket, id)) == INDEX_PLACES) {
        assert(bucket->overflow != 0);
        before = bucket;
        bucket = &index->overflow[bucket->overflow];
    }
    bucket->ids[place] = 0;
    index->entries--;
    if (before != NULL && is_empty(bucket))
        free_overflow(index, before);
}

size_t flow_index_bytes(const struct flow_index *index)
{
    return (size_t)index->segment_count * INDEX_SEGMENT * sizeof(struct index_bucket) +
           (size_t)index->overflow_room * sizeof(struct index_bucket);
}
