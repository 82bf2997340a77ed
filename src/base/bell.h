// A bell: threads ring it when there is something to do; one thread looks for work and, when it finds none,
// sleeps until the bell rings. A ring between the look and the sleep is not lost.
#pragma once

#include <stdatomic.h>

struct bell {
    atomic_uint rings;
    atomic_uint sleeps;
};

// Any thread.
void bell_ring(struct bell *bell);

// The sleeper: takes the count, looks for work, and waits until the bell has rung since the count was taken.
static inline unsigned bell_count(struct bell *bell)
{
    return atomic_load(&bell->rings);
}
// At most `timeout_ms`, negative = for ever.
void bell_wait(struct bell *bell, unsigned count, int timeout_ms);
