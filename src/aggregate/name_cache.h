// Names of addresses as DNS answers on the wire gave them. A bounded, set-associative cache: a new address
// takes the place of the least recently written one of its set. Owned by aggregate; one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

struct name_cache;

struct name_cache *name_cache_create(unsigned entries, uint64_t hash_seed);
void name_cache_destroy(struct name_cache *cache);

// The last name wins. An overlong or empty name is ignored.
void name_cache_put(struct name_cache *cache, const struct address *address, const char *name);
// Borrowed until the next put; NULL when the address has none.
const char *name_cache_get(const struct name_cache *cache, const struct address *address);
// The places of the cache, of which not all hold a name: NULL then.
size_t name_cache_places(const struct name_cache *cache);
const char *name_cache_at(const struct name_cache *cache, size_t place, struct prefix *prefix);
