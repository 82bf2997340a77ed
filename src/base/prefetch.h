// Touching memory ahead of its use. gcc takes a function that only prefetches for one without effect and drops
// its calls (seen with gcc 12), unless it is inlined before that is decided: every function around these must
// say so with PREFETCHING.
#pragma once

#define PREFETCHING __attribute__((always_inline)) static inline

PREFETCHING void prefetch_read(const void *at)
{
    __builtin_prefetch(at, 0);
}

PREFETCHING void prefetch_write(const void *at)
{
    __builtin_prefetch(at, 1);
}
