#include "base/bell.h"

#include "base/futex.h"

void bell_ring(struct bell *bell)
{
    atomic_fetch_add(&bell->rings, 1);
    if (atomic_load(&bell->sleeps) != 0)
        futex_wake(&bell->rings);
}

void bell_wait(struct bell *bell, unsigned count, int timeout_ms)
{
    atomic_store(&bell->sleeps, 1);
    while (atomic_load(&bell->rings) == count)
        if (futex_wait(&bell->rings, count, timeout_ms) && timeout_ms >= 0)
            break;
    atomic_store(&bell->sleeps, 0);
}
