#include "base/hash.h"

#include <assert.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed)
{
    assert(bytes != NULL || length == 0);
    return XXH3_64bits_withSeed(bytes, length, seed);
}

uint64_t hash_16_bytes(const void *bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, 16, seed);
}
