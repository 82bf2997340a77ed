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
    return address->version == 6 ? address_network(address, 48) : *address;
}

static unsigned place_of(const struct login_guard *guard, const struct address *network)
{
    return (unsigned)(hash_bytes(network, sizeof *network, guard->seed) % LOGIN_PLACES);
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

// Which of the marks it is; LOGIN_MARKS = none.
static unsigned find_good(const struct login_memory *memory, const struct address *network, uint64_t mark)
{
    unsigned i = 0;
    if (address_compare(&memory->address, network) != 0)
        return LOGIN_MARKS;
    while (i < LOGIN_MARKS && memory->good[i] != mark)
        i++;
    return i;
}

static void remember(struct login_memory *memory, const struct address *network, uint64_t mark)
{
    unsigned place = find_good(memory, network, mark);
    if (address_compare(&memory->address, network) != 0)
        *memory = (struct login_memory){.address = *network};
    if (place == LOGIN_MARKS)
        place--; // the oldest goes
    memmove(memory->good + 1, memory->good, place * sizeof memory->good[0]);
    memory->good[0] = mark;
}

bool login_may_try(const struct login_guard *guard, const struct address *address, const char *credentials,
                   int64_t now_ns)
{
    struct address network = network_of(address);
    unsigned number = place_of(guard, &network);
    const struct login_place *place = &guard->place[number];
    if (find_good(&guard->memory[number], &network, mark_of(guard, credentials)) < LOGIN_MARKS)
        return true;
    bool its = address_compare(&place->address, &network) == 0;
    return has_left(guard->spent_all_ns, LOGIN_BURST_ALL, LOGIN_EACH_ALL_MS, now_ns) &&
           (!its || has_left(place->spent_ns, LOGIN_BURST, LOGIN_EACH_MS, now_ns));
}

void login_tried(struct login_guard *guard, const struct address *address, const char *credentials, bool good,
                 int64_t now_ns)
{
    struct address network = network_of(address);
    uint64_t mark = mark_of(guard, credentials);
    unsigned number = place_of(guard, &network);
    struct login_place *place = &guard->place[number];
    struct login_memory *memory = &guard->memory[number];
    if (good) {
        remember(memory, &network, mark);
        return;
    }
    unsigned known = find_good(memory, &network, mark);
    if (known < LOGIN_MARKS)
        memory->good[known] = 0; // they were withdrawn
    if (address_compare(&place->address, &network) != 0)
        *place = (struct login_place){.address = network};
    spend(&place->spent_ns, LOGIN_EACH_MS, now_ns);
    spend(&guard->spent_all_ns, LOGIN_EACH_ALL_MS, now_ns);
}
