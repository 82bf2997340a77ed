#include "base/arena.h"

#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

static size_t round_up(size_t bytes)
{
    return (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

// Gives back what lies outside the aligned part of a mapping that is one huge page longer.
static uint8_t *trim(uint8_t *mapped, size_t bytes)
{
    size_t before = (HUGE_PAGE - (uintptr_t)mapped % HUGE_PAGE) % HUGE_PAGE;
    if (before > 0)
        munmap(mapped, before);
    munmap(mapped + before + bytes, HUGE_PAGE - before);
    return mapped + before;
}

bool arena_reserve(struct arena *arena, size_t bytes)
{
    size_t reserved = round_up(bytes);
    void *mapped =
        mmap(NULL, reserved + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED)
        return false;
    *arena = (struct arena){.base = trim(mapped, reserved), .reserved = reserved};
    if (reserved > HUGE_PAGE) // a kernel without huge pages refuses: nothing is lost
        madvise(arena->base + HUGE_PAGE, reserved - HUGE_PAGE, MADV_HUGEPAGE);
    return true;
}

void arena_done(struct arena *arena)
{
    if (arena->base != NULL)
        munmap(arena->base, arena->reserved);
    *arena = (struct arena){0};
}

bool arena_grow(struct arena *arena, size_t bytes)
{
    if (bytes <= arena->usable)
        return true;
    size_t usable = round_up(bytes);
    if (usable > arena->reserved)
        return false;
    if (mprotect(arena->base + arena->usable, usable - arena->usable, PROT_READ | PROT_WRITE) != 0)
        return false;
    arena->usable = usable;
    return true;
}
