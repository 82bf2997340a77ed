#include "capture/chunk.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

Test(chunk, pool_is_bounded_and_the_last_release_returns)
{
    struct chunk_pool *pool = chunk_pool_create(2, 4096);
    struct chunk *first = chunk_pool_take(pool, 0);
    struct chunk *second = chunk_pool_take(pool, 0);
    cr_assert(first != NULL && second != NULL && first->bytes != second->bytes);
    cr_assert_null(chunk_pool_take(pool, 0));
    cr_assert_null(chunk_pool_take(pool, 5));
    cr_assert_eq(chunk_pool_out(pool), 2);

    chunk_retain(first);
    chunk_release(first);
    cr_assert_null(chunk_pool_take(pool, 0), "one reference is left");
    first->used = 17;
    chunk_release(first);
    struct chunk *again = chunk_pool_take(pool, 0);
    cr_assert_eq(again, first);
    cr_assert_eq(again->used, 0);

    chunk_release(again);
    chunk_release(second);
    cr_assert_eq(chunk_pool_out(pool), 0);
    chunk_pool_destroy(pool);
}

static void *release_later(void *chunk)
{
    usleep(20000);
    chunk_release(chunk);
    return NULL;
}

Test(chunk, taker_sleeps_until_another_thread_releases, .timeout = 10)
{
    struct chunk_pool *pool = chunk_pool_create(1, 4096);
    pthread_t thread;
    for (int round = 0; round < 3; round++) {
        struct chunk *chunk = chunk_pool_take(pool, -1);
        cr_assert_eq(pthread_create(&thread, NULL, release_later, chunk), 0);
        struct chunk *next = chunk_pool_take(pool, -1);
        cr_assert_not_null(next);
        pthread_join(thread, NULL);
        chunk_release(next);
    }
    chunk_pool_destroy(pool);
}

Test(chunk, one_release_too_many_is_a_bug, .signal = SIGABRT)
{
    struct chunk_pool *pool = chunk_pool_create(1, 4096);
    struct chunk *chunk = chunk_pool_take(pool, 0);
    chunk_release(chunk);
    chunk_release(chunk);
}
