// A piece of memory that holds frames: read from a file or copied from an interface's ring. Counted
// references: the source holds one while it fills the chunk, every batch with frames in it holds one;
// the last release returns it to its pool. The pool is made at start and bounded.
// chunk_pool_take() by the source thread only; chunk_release() by any thread.
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chunk_pool;

struct chunk {
    atomic_uint references;
    struct chunk_pool *pool;
    struct chunk *next; // in the pool's free list, or in a list of its only holder
    size_t capacity;    // bytes
    size_t used;        // the filler's
    uint8_t *bytes;
};

enum { CHUNK_BYTES = 512 * 1024 }; // the usual capacity

// `count` chunks of `capacity` bytes; memory is reserved at once and touched as used. NULL without memory.
struct chunk_pool *chunk_pool_create(unsigned count, size_t capacity);
// All chunks must have come back. Takes NULL.
void chunk_pool_destroy(struct chunk_pool *pool);

// A chunk with one reference and used = 0. When all are out it waits for one to come back, at most
// `timeout_ms` (0 = not at all, negative = for ever), and returns NULL when none did.
struct chunk *chunk_pool_take(struct chunk_pool *pool, int timeout_ms);

unsigned chunk_pool_count(const struct chunk_pool *pool);  // chunks of the pool
size_t chunk_pool_capacity(const struct chunk_pool *pool); // bytes of one chunk
unsigned chunk_pool_out(struct chunk_pool *pool);          // chunks taken and not yet back; any thread

static inline void chunk_retain(struct chunk *chunk)
{
    unsigned before = atomic_fetch_add_explicit(&chunk->references, 1, memory_order_relaxed);
    assert(before > 0); // only who holds one gives it on
}

// The filler: whether nobody else holds the chunk, so that it may be filled anew, with all that others read of it over.
static inline bool chunk_is_mine(const struct chunk *chunk)
{
    return atomic_load_explicit(&chunk->references, memory_order_acquire) == 1;
}

void chunk_release(struct chunk *chunk);
