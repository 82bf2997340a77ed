// What a listener counts, and the rows that show it. Written by the door's thread; read by any.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/metric.h"
#include "door/frame_guard.h"

// Why a connection was closed by the door.
enum refusal {
    REFUSED_CONNECTIONS, // as many as there may be
    REFUSED_ADDRESS,     // as many of its address as there may be
    REFUSED_DESCRIPTORS, // the process has no more
    REFUSED_MEMORY,
    REFUSED_HANDSHAKE,         // TLS failed: no or a bad certificate, no common protocol
    REFUSED_HANDSHAKE_TIMEOUT, // it took too long
    REFUSED_REQUEST_TIMEOUT,   // no complete first request in time
    REFUSED_FRAMES,            // and the verdict, less one: REFUSED_FRAMES + FRAMES_BROKEN - 1
    REFUSALS = REFUSED_FRAMES + FRAME_VERDICTS - 1
};

struct door_counts {
    atomic_uint_fast64_t open, total;
    atomic_uint_fast64_t refused[REFUSALS];
};

struct door;

// The door's rows, in its registry until door_counts_remove(). False when there is no place.
bool door_counts_add(struct door *door, struct metric_registry *registry);
void door_counts_remove(struct door *door, struct metric_registry *registry);

static inline void count_more(atomic_uint_fast64_t *count)
{
    atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

static inline void count_less(atomic_uint_fast64_t *count)
{
    atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
}

static inline uint64_t count_of(const atomic_uint_fast64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}
