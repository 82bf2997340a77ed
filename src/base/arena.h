// Memory that grows in place: an arena reserves address space at start, which costs nothing, and makes it
// usable from the front as it is needed. What lies in it never moves, so that one multiplication finds a
// node and growth copies nothing. One owner, one thread.
//
// Huge pages are not asked for: one costs up to 5 ms at its first touch in a virtual machine, which capture
// would wait for, and gives 12 % on a table of 3.4 million flows.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena {
    uint8_t *base; // NULL = nothing reserved
    size_t usable; // bytes from `base` that may be touched
    size_t reserved;
};

// Reserves `bytes`, rounded up to 1 MB. False when the process may have no more address space (ulimit -v).
bool arena_reserve(struct arena *arena, size_t bytes);
void arena_done(struct arena *arena);

// For arena_grow(), where more is wanted than is usable.
bool arena_grow_further(struct arena *arena, size_t bytes);

// Makes at least the first `bytes` usable; new ones are zero and take no memory until they are touched.
// False when the reservation is too small or there is no memory.
static inline bool arena_grow(struct arena *arena, size_t bytes)
{
    return bytes <= arena->usable || arena_grow_further(arena, bytes);
}
