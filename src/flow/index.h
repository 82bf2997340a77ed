// The hash index of a flow table: from a 64-bit keyed hash to a flow's id. Cache-line buckets with ten
// tagged places; linear hashing splits one bucket at a time, so that no insertion ever waits for the
// table to grow. One owner, one thread. Cost: one line for a hit or a miss, about 9 bytes a flow.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/prefetch.h"
#include "base/slab.h"
#include "flow/key.h"

enum { INDEX_PLACES = 10, INDEX_FILL = 7, INDEX_TAG_SHIFT = 36, INDEX_HASH_BITS = INDEX_TAG_SHIFT + 16 };

struct index_bucket {
    uint16_t tags[INDEX_PLACES]; // 15 bits of the hash and a one; 0 where ids[] is 0
    uint32_t overflow;           // id of a further bucket in `overflow`, 0 = none
    uint32_t ids[INDEX_PLACES];
};
_Static_assert(sizeof(struct index_bucket) == 64, "a bucket is a cache line");

// How the index finds the hash of a flow that it holds, when it splits a bucket.
typedef uint64_t index_hash_function(const void *owner, uint32_t id);

struct flow_index {
    struct arena arena;   // of struct index_bucket
    uint32_t buckets;     // in use; splits run from 0 to the last full power of two
    uint32_t mask;        // of the smaller power of two
    struct slab overflow; // buckets behind full ones
    uint32_t entries;
    index_hash_function *hash_of;
    const void *owner;
};

// Room for `entries`. False when the process may have no more address space.
bool flow_index_init(struct flow_index *index, uint32_t entries, index_hash_function *hash_of,
                     const void *owner);
void flow_index_done(struct flow_index *index);

// False when there is no memory; the index is unchanged then.
bool flow_index_insert(struct flow_index *index, uint64_t hash, uint32_t id);
// The pair must be there.
void flow_index_remove(struct flow_index *index, uint64_t hash, uint32_t id);
// Removes all pairs. Costs the size of the index.
void flow_index_clear(struct flow_index *index);
size_t flow_index_bytes(const struct flow_index *index);

static inline uint32_t flow_index_bucket_number(const struct flow_index *index, uint64_t hash)
{
    uint32_t larger = (uint32_t)hash & (index->mask * 2 + 1);
    uint32_t beyond = -(uint32_t)(larger >= index->buckets); // without a branch: it cannot be foretold
    return larger & ~(beyond & (index->mask + 1));
}

static inline struct index_bucket *flow_index_bucket(const struct flow_index *index, uint32_t number)
{
    return (struct index_bucket *)(void *)index->arena.base + number;
}

// The tag comes from bits that neither the bucket number nor results use.
static inline uint16_t flow_index_tag(uint64_t hash)
{
    _Static_assert((int)INDEX_HASH_BITS <= (int)FLOW_HASH_PLACE, "keyed at random");
    return (uint16_t)(hash >> INDEX_TAG_SHIFT) | 1;
}

PREFETCHING void flow_index_prefetch(const struct flow_index *index, uint64_t hash)
{
    prefetch_read(flow_index_bucket(index, flow_index_bucket_number(index, hash)));
}

// The places of a bucket that have the tag, as bits.
#ifdef __SSE2__
static inline unsigned index_bucket_match(const struct index_bucket *bucket, uint16_t tag)
{
    const __m128i *tags = (const __m128i *)(const void *)bucket->tags;
    __m128i wanted = _mm_set1_epi16((short)tag);
    __m128i first = _mm_cmpeq_epi16(_mm_loadu_si128(tags), wanted);
    __m128i rest = _mm_cmpeq_epi16(_mm_loadl_epi64(tags + 1), wanted);
    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(first, rest)) & ((1u << INDEX_PLACES) - 1);
}
_Static_assert(INDEX_PLACES > 8 && offsetof(struct index_bucket, tags) + 24 <= sizeof(struct index_bucket),
               "eight tags and what lies behind them");
#else
static inline unsigned index_bucket_match(const struct index_bucket *bucket, uint16_t tag)
{
    unsigned places = 0;
    for (unsigned place = 0; place < INDEX_PLACES; place++)
        places |= (unsigned)(bucket->tags[place] == tag) << place;
    return places;
}
#endif

// Walks the candidates of a hash: ids whose tag fits. Start with {0}; 0 = no more.
struct index_walk {
    const struct index_bucket *bucket;
    unsigned places; // that fit and were not visited
};

static inline uint32_t flow_index_next(const struct flow_index *index, uint64_t hash, struct index_walk *walk)
{
    if (walk->bucket == NULL) {
        walk->bucket = flow_index_bucket(index, flow_index_bucket_number(index, hash));
        walk->places = index_bucket_match(walk->bucket, flow_index_tag(hash));
    }
    while (walk->places == 0) {
        if (walk->bucket->overflow == 0)
            return 0;
        walk->bucket = slab_at(&index->overflow, walk->bucket->overflow);
        walk->places = index_bucket_match(walk->bucket, flow_index_tag(hash));
    }
    unsigned place = (unsigned)__builtin_ctz(walk->places);
    walk->places &= walk->places - 1;
    return walk->bucket->ids[place];
}
