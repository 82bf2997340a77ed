// Memory that nobody may touch although it is ours: free nodes. The address sanitizer finds who does it all the same;
// without it nothing is done. In steps of eight bytes: what shares one with bytes in use stays open.
#pragma once

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONS 1
#endif
#endif

#ifdef POISONS
#include <sanitizer/asan_interface.h>
#endif

static inline void poison(const void *at, size_t bytes)
{
#ifdef POISONS
    __asan_poison_memory_region(at, bytes);
#else
    (void)at;
    (void)bytes;
#endif
}

static inline void unpoison(const void *at, size_t bytes)
{
#ifdef POISONS
    __asan_unpoison_memory_region(at, bytes);
#else
    (void)at;
    (void)bytes;
#endif
}
