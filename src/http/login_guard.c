#include "http/login_guard.h"

#include <string.h>

#include "base/hash.h"
#include "base/time.h"

void login_guard_init(struct login_guard *guard, uint64_t seed)
{
    *guard = (struct login_guard){.seed = seed};
}

static struct address network_of(const struct address *address)
{
    struct address network = *address;
    if (network.version == 6)
        memset(network.bytes + 8, 0, 8);
    return network;
}

static struct login_place *place_of(const struct login_guard *guard, const struct address *network)
{
    uint64_t hash = hash_bytes(network, sizeof *network, guard->seed);
    return (struct login_place *)(uintptr_t)&guard->place[hash % LOGIN_PLACES];
}

static uint64_t mark_of(const struct login_guard *guard, const char *credentials)
{
    return hash_bytes(credentials, strlen(credentials), guard->seed) | 1;
}

static bool has_left(int64_t spent_ns, int burst, int each_ms, int64_t now_ns)
{
    return spent_ns - now_ns <= (burst - 1) * each_ms * NS_PER_MS;
}

static void spend(int64_t *spent_ns, int each_ms, int64_t now_ns)
{
    *spent_ns = (*spent_ns > now_ns ? *spent_ns : now_ns) + each_ms * NS_PER_MS;
}

bool login_may_try(const struct login_guard *guard, const struct address *address, const char *credentials,
                   int64_t now_ns)
{
    struct address network = network_of(address);
    const struct login_place *place = place_of(guard, &network);
    bool its = address_compare(&place->address, &network) == 0;
    if (its && place->good == mark_of(guard, credentials))
        return true;
    return has_left(guard->spent_all_ns, LOGIN_BURST_ALL, LOGIN_EACH_ALL_MS, now_ns) &&
           (!its || has_left(place->spent_ns, LOGIN_BURST, LOGIN_EACH_MS, now_ns));
}

void login_tried(struct login_guard *guard, const struct address *address, const char *credentials, bool good,
                 int64_t now_ns)
{
    struct address network = network_of(address);
    struct login_place *place = place_of(guard, &network);
    if (address_compare(&place->address, &network) != 0)
        *place = (struct login_place){.address = network};
    if (good) {
        place->good = mark_of(guard, credentials);
        return;
    }
    if (place->good == mark_of(guard, credentials))
        place->good = 0; // they were withdrawn
    spend(&place->spent_ns, LOGIN_EACH_MS, now_ns);
    spend(&guard->spent_all_ns, LOGIN_EACH_ALL_MS, now_ns);
}
