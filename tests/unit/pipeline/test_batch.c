#include "pipeline/batch.h"

#include <criterion/criterion.h>

enum { CAPACITY = 4, CHUNKS = BATCH_CHUNKS + 2 };

Test(batch, is_full_at_its_capacity)
{
    struct chunk_pool *pool = chunk_pool_create(1, 64);
    struct chunk *chunk = chunk_pool_take(pool, 0);
    struct batch batch;
    cr_assert(batch_init(&batch, CAPACITY));
    for (unsigned i = 0; i < CAPACITY; i++) {
        cr_assert(batch_has_room(&batch, chunk));
        cr_expect_eq(batch_place(&batch), &batch.items[i]);
        batch_add(&batch, i, 3, chunk);
        cr_expect(batch.hash[i] == i && batch.shard[i] == 3);
    }
    cr_expect_not(batch_has_room(&batch, chunk));
    cr_expect_eq(batch.chunk_count, 1, "one reference a chunk, however many packets");
    batch_clear(&batch);
    cr_expect(batch_has_room(&batch, chunk));
    batch_done(&batch);
    chunk_release(chunk);
    chunk_pool_destroy(pool);
}

Test(batch, keeps_chunks_alive_until_it_is_cleared)
{
    struct chunk_pool *pool = chunk_pool_create(1, 64);
    struct chunk *chunk = chunk_pool_take(pool, 0);
    struct batch batch;
    cr_assert(batch_init(&batch, CAPACITY));
    batch_add(&batch, 0, 0, chunk);
    batch_add(&batch, 0, 0, chunk);
    chunk_release(chunk); // the source's
    cr_expect_eq(chunk_pool_out(pool), 1);
    batch.mark = BATCH_TICK;
    batch_clear(&batch);
    cr_expect_eq(chunk_pool_out(pool), 0);
    cr_expect(batch.count == 0 && batch.mark == BATCH_PACKETS);

    chunk = chunk_pool_take(pool, 0);
    batch_add(&batch, 0, 0, chunk);
    chunk_release(chunk);
    batch_done(&batch);
    cr_expect_eq(chunk_pool_out(pool), 0);
    chunk_pool_destroy(pool);
}

Test(batch, is_full_when_it_points_into_eight_chunks)
{
    struct chunk_pool *pool = chunk_pool_create(CHUNKS, 64);
    struct chunk *chunks[CHUNKS];
    for (unsigned i = 0; i < CHUNKS; i++)
        chunks[i] = chunk_pool_take(pool, 0);
    struct batch batch;
    cr_assert(batch_init(&batch, 1000));
    for (unsigned i = 0; i < BATCH_CHUNKS; i++) {
        cr_assert(batch_has_room(&batch, chunks[i]));
        batch_add(&batch, 0, 0, chunks[i]);
    }
    cr_expect_not(batch_has_room(&batch, chunks[BATCH_CHUNKS]));
    cr_expect(batch_has_room(&batch, chunks[0]), "one that it holds");
    batch_add(&batch, 0, 0, chunks[0]);
    batch_done(&batch);
    for (unsigned i = 0; i < CHUNKS; i++)
        chunk_release(chunks[i]);
    chunk_pool_destroy(pool);
}
