#include "capture/chunk.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "base/time.h"

struct chunk_pool {
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct chunk *free; // last in, first out: the warmest memory first
    unsigned count;
    unsigned out;
    size_t capacity;
    uint8_t *memory; // mapped: count * capacity
    struct chunk *chunks;
};

static bool pool_reserve(struct chunk_pool *pool)
{
    void *memory = mmap(NULL, pool->count * pool->capacity, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    pool->memory = memory;
    pool->chunks = calloc(pool->count, sizeof *pool->chunks);
    return pool->chunks != NULL;
}

static void pool_link(struct chunk_pool *pool)
{
    for (unsigned i = pool->count; i-- > 0;) {
        struct chunk *chunk = &pool->chunks[i];
        assert(chunk->pool == NULL);
        chunk->pool = pool;
        chunk->capacity = pool->capacity;
        chunk->bytes = pool->memory + i * pool->capacity;
        chunk->next = pool->free;
        pool->free = chunk;
    }
}

static void pool_init_lock(struct chunk_pool *pool)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->returned, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&pool->lock, NULL);
}

struct chunk_pool *chunk_pool_create(unsigned count, size_t capacity)
{
    assert(count > 0 && capacity > 0 && capacity <= SIZE_MAX / count);
    struct chunk_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    pool->count = count;
    pool->capacity = capacity;
    pool_init_lock(pool);
    if (!pool_reserve(pool)) {
        chunk_pool_destroy(pool);
        return NULL;
    }
    pool_link(pool);
    return pool;
}

void chunk_pool_destroy(struct chunk_pool *pool)
{
    if (pool == NULL)
        return;
    assert(pool->out == 0);
    if (pool->memory != NULL)
        munmap(pool->memory, pool->count * pool->capacity);
    free(pool->chunks);
    pthread_cond_destroy(&pool->returned);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static struct timespec deadline_in(int timeout_ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    assert(timeout_ms >= 0);
    int64_t ns = (int64_t)at.tv_nsec + timeout_ms * NS_PER_MS;
    at.tv_sec += ns / NS_PER_S;
    at.tv_nsec = ns % NS_PER_S;
    return at;
}

// With the lock held: until a chunk is free or the time is over.
static void wait_for_return(struct chunk_pool *pool, int timeout_ms)
{
    if (timeout_ms < 0) {
        while (pool->free == NULL)
            pthread_cond_wait(&pool->returned, &pool->lock);
        return;
    }
    struct timespec deadline = deadline_in(timeout_ms);
    while (pool->free == NULL)
        if (pthread_cond_timedwait(&pool->returned, &pool->lock, &deadline) != 0)
            return;
}

struct chunk *chunk_pool_take(struct chunk_pool *pool, int timeout_ms)
{
    pthread_mutex_lock(&pool->lock);
    if (pool->free == NULL && timeout_ms != 0)
        wait_for_return(pool, timeout_ms);
    struct chunk *chunk = pool->free;
    if (chunk != NULL) {
        pool->free = chunk->next;
        pool->out++;
        assert(pool->out <= pool->count && chunk->pool == pool);
    }
    pthread_mutex_unlock(&pool->lock);
    if (chunk == NULL)
        return NULL;
    assert(atomic_load_explicit(&chunk->references, memory_order_relaxed) == 0);
    chunk->next = NULL;
    chunk->used = 0;
    atomic_store_explicit(&chunk->references, 1, memory_order_relaxed);
    return chunk;
}

unsigned chunk_pool_count(const struct chunk_pool *pool)
{
    return pool->count;
}

size_t chunk_pool_capacity(const struct chunk_pool *pool)
{
    return pool->capacity;
}

unsigned chunk_pool_out(struct chunk_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    unsigned out = pool->out;
    pthread_mutex_unlock(&pool->lock);
    return out;
}

void chunk_release(struct chunk *chunk)
{
    unsigned before = atomic_fetch_sub_explicit(&chunk->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    assert(chunk->used <= chunk->capacity);
    struct chunk_pool *pool = chunk->pool;
    pthread_mutex_lock(&pool->lock);
    chunk->next = pool->free;
    pool->free = chunk;
    assert(pool->out > 0);
    pool->out--;
    pthread_cond_signal(&pool->returned);
    pthread_mutex_unlock(&pool->lock);
}
