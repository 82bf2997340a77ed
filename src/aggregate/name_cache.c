#include "aggregate/name_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { NAME_WAYS = 4, NAME_BYTES = 256 };

struct name_entry {
    struct address address; // version 0 = empty
    uint32_t written;
    char *name;
};

// Most addresses have no name: a set's tags, 8 bytes of a table that stays in the cache, say so.
struct name_tags {
    uint16_t tag[NAME_WAYS]; // of the hash; 0 = empty
};

struct name_cache {
    uint64_t hash_seed;
    unsigned sets; // a power of two
    uint32_t writes;
    struct name_tags *tags;
    struct name_entry *entries;
};

struct name_cache *name_cache_create(unsigned entries, uint64_t hash_seed)
{
    assert(entries > 0 && entries <= 1U << 30); // sets double past it
    struct name_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->hash_seed = hash_seed;
    cache->sets = 1;
    while (cache->sets * NAME_WAYS < entries)
        cache->sets *= 2;
    cache->tags = calloc(cache->sets, sizeof *cache->tags);
    cache->entries = calloc((size_t)cache->sets * NAME_WAYS, sizeof *cache->entries);
    if (cache->tags == NULL || cache->entries == NULL) {
        name_cache_destroy(cache);
        return NULL;
    }
    return cache;
}

void name_cache_destroy(struct name_cache *cache)
{
    if (cache == NULL)
        return;
    for (unsigned i = 0; cache->entries != NULL && i < cache->sets * NAME_WAYS; i++)
        free(cache->entries[i].name);
    free(cache->entries);
    free(cache->tags);
    free(cache);
}

static uint64_t hash_of(const struct name_cache *cache, const struct address *address)
{
    return hash_16_bytes(address->bytes, cache->hash_seed);
}

static uint16_t tag_of(uint64_t hash)
{
    return (uint16_t)(hash >> 48 | 1);
}

static unsigned set_of(const struct name_cache *cache, uint64_t hash)
{
    return (unsigned)hash & (cache->sets - 1);
}

static struct name_entry *find(const struct name_cache *cache, uint64_t hash, const struct address *address)
{
    unsigned set = set_of(cache, hash);
    const struct name_tags *tags = &cache->tags[set];
    for (unsigned way = 0; way < NAME_WAYS; way++) {
        struct name_entry *entry = &cache->entries[set * NAME_WAYS + way];
        if (tags->tag[way] == tag_of(hash) && address_compare(&entry->address, address) == 0)
            return entry;
    }
    return NULL;
}

static unsigned oldest_of_set(const struct name_cache *cache, unsigned set)
{
    const struct name_entry *entries = &cache->entries[set * NAME_WAYS];
    unsigned oldest = 0;
    for (unsigned way = 1; way < NAME_WAYS; way++)
        if (entries[way].written < entries[oldest].written)
            oldest = way;
    return oldest;
}

// The oldest entry of the address's set is the address's now; its name may still be another one's.
static struct name_entry *take_oldest(struct name_cache *cache, uint64_t hash, const struct address *address)
{
    unsigned set = set_of(cache, hash), way = oldest_of_set(cache, set);
    struct name_entry *entry = &cache->entries[set * NAME_WAYS + way];
    cache->tags[set].tag[way] = tag_of(hash);
    entry->address = *address;
    return entry;
}

void name_cache_put(struct name_cache *cache, const struct address *address, const char *name)
{
    size_t length = strnlen(name, NAME_BYTES);
    if (length == 0 || length == NAME_BYTES)
        return;
    uint64_t hash = hash_of(cache, address);
    struct name_entry *entry = find(cache, hash, address);
    if (entry == NULL || strcmp(entry->name, name) != 0) {
        char *copy = strndup(name, length);
        if (copy == NULL)
            return;
        if (entry == NULL)
            entry = take_oldest(cache, hash, address);
        free(entry->name);
        entry->name = copy;
    }
    entry->written = ++cache->writes;
}

const char *name_cache_get(const struct name_cache *cache, const struct address *address)
{
    const struct name_entry *entry = find(cache, hash_of(cache, address), address);
    return entry != NULL ? entry->name : NULL;
}

size_t name_cache_places(const struct name_cache *cache)
{
    return (size_t)cache->sets * NAME_WAYS;
}

const char *name_cache_at(const struct name_cache *cache, size_t place, struct prefix *prefix)
{
    assert(place < name_cache_places(cache));
    const struct name_entry *entry = &cache->entries[place];
    if (entry->address.version == 0)
        return NULL;
    *prefix = (struct prefix){.address = entry->address, .bits = entry->address.version == 6 ? 128 : 32};
    return entry->name;
}
