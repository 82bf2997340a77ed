#include "aggregate/name_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { NAME_WAYS = 4, NAME_BYTES = 256 };

struct name_entry {
    struct address address; // version 0 = empty
    uint32_t written;
    char *name;
};

struct name_cache {
    uint64_t hash_seed;
    unsigned sets; // a power of two
    uint32_t writes;
    struct name_entry *entries;
};

struct name_cache *name_cache_create(unsigned entries, uint64_t hash_seed)
{
    struct name_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->hash_seed = hash_seed;
    cache->sets = 1;
    while (cache->sets * NAME_WAYS < entries)
        cache->sets *= 2;
    cache->entries = calloc((size_t)cache->sets * NAME_WAYS, sizeof *cache->entries);
    if (cache->entries == NULL) {
        free(cache);
        return NULL;
    }
    return cache;
}

void name_cache_destroy(struct name_cache *cache)
{
    if (cache == NULL)
        return;
    for (unsigned i = 0; i < cache->sets * NAME_WAYS; i++)
        free(cache->entries[i].name);
    free(cache->entries);
    free(cache);
}

static struct name_entry *set_of(const struct name_cache *cache, const struct address *address)
{
    uint64_t hash = hash_bytes(address->bytes, sizeof address->bytes, cache->hash_seed);
    return &cache->entries[((unsigned)hash & (cache->sets - 1)) * NAME_WAYS];
}

static struct name_entry *find(const struct name_cache *cache, const struct address *address)
{
    struct name_entry *set = set_of(cache, address);
    for (unsigned way = 0; way < NAME_WAYS; way++)
        if (set[way].address.version != 0 && address_compare(&set[way].address, address) == 0)
            return &set[way];
    return NULL;
}

static struct name_entry *oldest_of_set(const struct name_cache *cache, const struct address *address)
{
    struct name_entry *set = set_of(cache, address);
    struct name_entry *oldest = &set[0];
    for (unsigned way = 1; way < NAME_WAYS; way++)
        if (set[way].written < oldest->written)
            oldest = &set[way];
    return oldest;
}

void name_cache_put(struct name_cache *cache, const struct address *address, const char *name)
{
    size_t length = strnlen(name, NAME_BYTES);
    if (length == 0 || length == NAME_BYTES)
        return;
    struct name_entry *entry = find(cache, address);
    if (entry == NULL)
        entry = oldest_of_set(cache, address);
    if (entry->name == NULL || strcmp(entry->name, name) != 0) {
        char *copy = strndup(name, length);
        if (copy == NULL)
            return;
        free(entry->name);
        entry->name = copy;
    }
    entry->address = *address;
    entry->written = ++cache->writes;
}

const char *name_cache_get(const struct name_cache *cache, const struct address *address)
{
    const struct name_entry *entry = find(cache, address);
    return entry != NULL ? entry->name : NULL;
}
