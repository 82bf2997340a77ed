// Memory that grows in place: an arena reserves address space at start, which costs nothing, and makes it
// usable from the front as it is needed. What lies in it never moves, so that one multiplication finds a
// node and growth copies nothing. Beyond the first 2 MB the kernel is asked for huge pages: a table of
// millions of flows would else miss the TLB on every packet. One owner, one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena {
    uint8_t *base; // NULL = nothing reserved
    size_t usable; // bytes from `base` that may be touched
    size_t reserved;
};

// Reserves `bytes`, rounded up to 2 MB. False when the process may have no more address space (ulimit -v).
bool arena_reserve(struct arena *arena, size_t bytes);
void arena_done(struct arena *arena);

// Makes at least the first `bytes` usable; new ones are zero. Grows by 2 MB at a time. False when the
// reservation is too small or there is no memory.
bool arena_grow(struct arena *arena, size_t bytes);
