// The keyed hash of keys and sketches: XXH3 with a seed. It spreads well and cannot be steered without
// the seed, but it is no digest: digest.h has those. Pure; any thread; a few nanoseconds a key.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Equal bytes and seed give equal values on every machine of one byte order. `bytes` may be NULL when
// `length` is 0.
uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed);
// The same of 16 bytes, faster.
uint64_t hash_16_bytes(const void *bytes, uint64_t seed);

// XXH128 without a seed, the same on every machine: for names that stay, not against who makes two alike on purpose.
enum { HASH_DIGEST_BYTES = 16 };
void hash_digest(const void *bytes, size_t length, uint8_t into[HASH_DIGEST_BYTES]);
