#include "base/arena.h"

#include <assert.h>
#include <sys/mman.h>

enum { ARENA_STEP = 1 << 20 };

static size_t round_up(size_t bytes)
{
    assert(bytes <= SIZE_MAX - ARENA_STEP);
    return (bytes + ARENA_STEP - 1) / ARENA_STEP * ARENA_STEP;
}

bool arena_reserve(struct arena *arena, size_t bytes)
{
    assert(bytes > 0);
    size_t reserved = round_up(bytes);
    void *base = mmap(NULL, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return false;
    *arena = (struct arena){.base = base, .reserved = reserved};
    return true;
}

void arena_done(struct arena *arena)
{
    if (arena->base != NULL)
        munmap(arena->base, arena->reserved);
    *arena = (struct arena){0};
}

bool arena_grow_further(struct arena *arena, size_t bytes)
{
    assert(bytes > arena->usable && arena->usable <= arena->reserved);
    size_t usable = round_up(bytes);
    if (usable > arena->reserved)
        return false;
    assert(arena->base != NULL);
    if (mprotect(arena->base + arena->usable, usable - arena->usable, PROT_READ | PROT_WRITE) != 0)
        return false;
    arena->usable = usable;
    return true;
}
