#include "capture/own_connections.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"

// A bucket is a cache line of digests; 0 = a free place.
enum { BUCKETS = 1024, PLACES = 8, CACHE_LINE = 64 };

struct own_connections {
    _Alignas(CACHE_LINE) _Atomic uint64_t places[BUCKETS][PLACES];
    uint64_t seed;
    bool excluded;
    atomic_uint count;
};

struct own_connections *own_connections_create(bool excluded)
{
    struct own_connections *own = aligned_alloc(CACHE_LINE, sizeof *own);
    if (own == NULL)
        return NULL;
    memset(own, 0, sizeof *own);
    own->excluded = excluded;
    if (getrandom(&own->seed, sizeof own->seed, GRND_NONBLOCK) != (ssize_t)sizeof own->seed)
        own->seed = (uint64_t)(uintptr_t)own;
    return own;
}

void own_connections_destroy(struct own_connections *own)
{
    free(own);
}

static uint64_t digest_of(const struct own_connections *own, const struct endpoint *one,
                          const struct endpoint *other)
{
    struct {
        uint8_t addresses[2][16];
        uint16_t ports[2];
        uint8_t version, zero[3];
    } key = {.zero = {0}};
    struct address first = address_plain(&one->address), second = address_plain(&other->address);
    int order = address_compare(&first, &second);
    bool turned = order > 0 || (order == 0 && one->port > other->port);
    memcpy(key.addresses[turned], first.bytes, sizeof first.bytes);
    memcpy(key.addresses[!turned], second.bytes, sizeof second.bytes);
    key.ports[turned] = one->port;
    key.ports[!turned] = other->port;
    key.version = first.version;
    uint64_t digest = hash_bytes(&key, sizeof key, own->seed);
    return digest != 0 ? digest : 1;
}

static _Atomic uint64_t *bucket_of(struct own_connections *own, uint64_t digest)
{
    return own->places[digest % BUCKETS];
}

// Puts `to` where `from` stands; false when it stands nowhere.
static bool change(struct own_connections *own, uint64_t digest, uint64_t from, uint64_t to)
{
    _Atomic uint64_t *bucket = bucket_of(own, digest);
    for (unsigned i = 0; i < PLACES; i++) {
        uint64_t expected = from;
        if (atomic_compare_exchange_strong(&bucket[i], &expected, to))
            return true;
    }
    return false;
}

bool own_connections_add(struct own_connections *own, const struct endpoint *here,
                         const struct endpoint *there)
{
    uint64_t digest = digest_of(own, here, there);
    if (!own->excluded)
        return true;
    atomic_fetch_add(&own->count, 1); // before it is there: who sees none need not look
    if (change(own, digest, 0, digest))
        return true;
    atomic_fetch_sub(&own->count, 1);
    return false;
}

void own_connections_remove(struct own_connections *own, const struct endpoint *here,
                            const struct endpoint *there)
{
    uint64_t digest = digest_of(own, here, there);
    if (change(own, digest, digest, 0))
        atomic_fetch_sub(&own->count, 1);
}

bool own_connections_any(const struct own_connections *own)
{
    return atomic_load_explicit(&own->count, memory_order_relaxed) > 0;
}

bool own_connections_hold(const struct own_connections *own, const struct endpoint *one,
                          const struct endpoint *other)
{
    uint64_t digest = digest_of(own, one, other);
    const _Atomic uint64_t *bucket = own->places[digest % BUCKETS];
    for (unsigned i = 0; i < PLACES; i++)
        if (atomic_load_explicit(&bucket[i], memory_order_relaxed) == digest)
            return true;
    return false;
}
