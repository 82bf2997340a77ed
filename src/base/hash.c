#include "base/hash.h"

#include <assert.h>
#include <string.h>

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

void hash_digest(const void *bytes, size_t length, uint8_t into[HASH_DIGEST_BYTES])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, length));
    _Static_assert(sizeof canonical.digest == HASH_DIGEST_BYTES, "128 bits");
    memcpy(into, canonical.digest, sizeof canonical.digest);
}
