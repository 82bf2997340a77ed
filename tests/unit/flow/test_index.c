#include "flow/index.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/hash.h"

enum { IDS = 100000 };

static uint64_t hashes[IDS + 1]; // by id; the test's stand-in for the table
static bool present[IDS + 1];

static uint64_t hash_of_id(const void *owner, uint32_t id)
{
    (void)owner;
    return hashes[id];
}

static bool finds(const struct flow_index *index, uint32_t id)
{
    struct index_walk walk = {0};
    unsigned hits = 0;
    for (uint32_t found; (found = flow_index_next(index, hashes[id], &walk)) != 0;)
        hits += found == id;
    cr_assert_leq(hits, 1, "id %u is there twice", id);
    return hits == 1;
}

static void put(struct flow_index *index, uint32_t id, uint64_t hash)
{
    hashes[id] = hash;
    cr_assert(flow_index_insert(index, hash, id));
    present[id] = true;
}

static void drop(struct flow_index *index, uint32_t id)
{
    flow_index_remove(index, hashes[id], id);
    present[id] = false;
}

static uint32_t expect_agreement(const struct flow_index *index)
{
    uint32_t entries = 0;
    for (uint32_t id = 1; id <= IDS; id++) {
        cr_assert_eq(finds(index, id), present[id], "id %u", id);
        entries += present[id];
    }
    cr_assert_eq(index->entries, entries);
    return entries;
}

// Against a map of all ids: 300,000 random insertions and removals, with a third more in than out.
Test(flow_index, agrees_with_a_map, .timeout = 120)
{
    struct flow_index index;
    cr_assert(flow_index_init(&index, IDS, hash_of_id, NULL));
    srand(1);
    for (uint32_t step = 0; step < 3 * IDS; step++) {
        uint32_t id = 1 + (uint32_t)rand() % IDS;
        uint64_t hash = hash_bytes(&id, sizeof id, step);
        if (!present[id])
            put(&index, id, hash);
        else if (rand() % 3 == 0)
            drop(&index, id);
        if (step % IDS == IDS / 2)
            expect_agreement(&index);
    }
    cr_expect_gt(expect_agreement(&index), IDS / 2);
    cr_expect_leq(flow_index_bytes(&index), (size_t)IDS * 16, "%zu bytes", flow_index_bytes(&index));

    for (uint32_t id = 1; id <= IDS; id++)
        if (present[id])
            drop(&index, id);
    cr_expect_eq(expect_agreement(&index), 0);
    flow_index_done(&index);
}

// All in one bucket (equal low bits), with equal tags: a long chain, but nothing is lost or found twice.
Test(flow_index, keeps_colliding_hashes)
{
    enum { COLLIDING = 500 };
    struct flow_index index;
    cr_assert(flow_index_init(&index, IDS, hash_of_id, NULL));
    for (uint32_t id = 1; id <= COLLIDING; id++)
        put(&index, id, (uint64_t)id << 58 | 7);
    for (uint32_t id = 1; id <= COLLIDING; id++)
        cr_assert(finds(&index, id), "id %u", id);
    for (uint32_t id = 1; id <= COLLIDING; id += 2)
        drop(&index, id);
    for (uint32_t id = 1; id <= COLLIDING; id++)
        cr_assert_eq(finds(&index, id), present[id], "id %u", id);
    for (uint32_t id = 1; id <= COLLIDING; id += 2)
        put(&index, id, (uint64_t)id << 58 | 7);
    for (uint32_t id = 1; id <= COLLIDING; id++)
        cr_assert(finds(&index, id), "id %u", id);
    flow_index_done(&index);
}

// Walks name only ids whose tag fits: misses cost a compare, not a look at the flow.
Test(flow_index, tags_filter_misses)
{
    struct flow_index index;
    cr_assert(flow_index_init(&index, IDS, hash_of_id, NULL));
    for (uint32_t id = 1; id <= 10000; id++)
        put(&index, id, hash_bytes(&id, sizeof id, 1));
    unsigned candidates = 0;
    for (uint32_t other = 20000; other < 30000; other++) {
        struct index_walk walk = {0};
        uint64_t hash = hash_bytes(&other, sizeof other, 1);
        while (flow_index_next(&index, hash, &walk) != 0)
            candidates++;
    }
    cr_expect_leq(candidates, 10, "%u false candidates in 10000 misses", candidates);
    flow_index_done(&index);
}

// Linear hashing: an insertion adds one bucket at most.
Test(flow_index, grows_a_bucket_at_a_time)
{
    struct flow_index index;
    cr_assert(flow_index_init(&index, IDS, hash_of_id, NULL));
    uint32_t buckets = index.buckets;
    for (uint32_t id = 1; id <= 50000; id++) {
        put(&index, id, hash_bytes(&id, sizeof id, 3));
        cr_assert_leq(index.buckets - buckets, 1);
        buckets = index.buckets;
    }
    cr_expect_geq((uint64_t)index.buckets * INDEX_FILL, 50000);
    flow_index_done(&index);
}

// Churn at a steady size does not pile up buckets behind full ones.
Test(flow_index, gives_emptied_buckets_back)
{
    enum { STEADY = 1000 };
    struct flow_index index;
    cr_assert(flow_index_init(&index, IDS, hash_of_id, NULL));
    for (uint32_t id = 1; id <= IDS; id++) {
        put(&index, id, hash_bytes(&id, sizeof id, 3));
        if (id > STEADY)
            drop(&index, id - STEADY);
    }
    cr_expect_leq(index.overflow.fresh, STEADY / INDEX_PLACES, "%u buckets", index.overflow.fresh);
    for (uint32_t id = IDS - STEADY + 1; id <= IDS; id++)
        drop(&index, id);
    unsigned behind = 0;
    for (uint32_t number = 0; number < index.buckets; number++)
        behind += flow_index_bucket(&index, number)->overflow != 0;
    cr_expect_eq(behind, 0);
    flow_index_done(&index);
}
