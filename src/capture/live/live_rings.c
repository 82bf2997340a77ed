#include "capture/live/live_rings.h"

#include <stdbool.h>
#include <string.h>

static const uint64_t mb = 1024 * 1024;
enum {
    GLOB_PART = 16,  // a ring behind a glob: this part of the buffer
    GLOB_SHARE = 8,  // all of them: so many times the buffer...
    LIMIT_SHARE = 4, // ...but at most this part of what the process may take
    LEFT_SHARE = 16, // a ring takes at most this part of what is left
};

static uint64_t less(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

static uint64_t more(uint64_t left, uint64_t right)
{
    return left > right ? left : right;
}

uint64_t live_ring_named(const struct capture_settings *settings)
{
    return settings->buffer_size_mb * mb;
}

static uint64_t glob_budget(const struct capture_settings *settings, uint64_t limit_bytes)
{
    uint64_t budget = GLOB_SHARE * live_ring_named(settings);
    return limit_bytes != 0 ? less(budget, limit_bytes / LIMIT_SHARE) : budget;
}

uint64_t live_ring_globbed(const struct capture_settings *settings, uint64_t limit_bytes,
                           uint64_t taken_bytes)
{
    uint64_t buffer = live_ring_named(settings);
    uint64_t budget = glob_budget(settings, limit_bytes);
    uint64_t left = budget > taken_bytes ? budget - taken_bytes : 0;
    uint64_t part = less(more(buffer / GLOB_PART, 2 * mb), left / LEFT_SHARE);
    return less(more(part, LIVE_RING_MIN_BYTES), buffer);
}

uint64_t live_rings_most(const struct capture_settings *settings, uint64_t limit_bytes)
{
    const struct string_list *words = &settings->interfaces;
    uint64_t named = words->count == 0 ? 1 : 0;
    bool glob = false;
    for (unsigned i = 0; i < words->count; i++) {
        bool is_glob = strpbrk(words->items[i], "*?[") != NULL;
        glob |= is_glob;
        named += !is_glob;
    }
    return named * live_ring_named(settings) + (glob ? glob_budget(settings, limit_bytes) : 0);
}
