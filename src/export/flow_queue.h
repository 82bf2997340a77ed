// The bounded queue between the aggregate, which pushes, and one writer thread, which takes: two
// buffers of packed flows under one mutex, one being filled while the other is worked through. The
// writer is woken when a quarter is full and at every flow_queue_wake() (a tick), not for each flow.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "export/packed_flow.h"

struct flow_queue {
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    uint8_t *filling, *draining;
    size_t used; // bytes of `filling`
    size_t capacity;
    bool waits; // for room, when it is full; else it drops
    bool closed;
    _Atomic uint64_t dropped;
};

// A run of packed flows that the writer took; valid until it takes again.
struct flow_batch {
    const uint8_t *at, *end;
};

// Twice `capacity` bytes; false without memory.
bool flow_queue_init(struct flow_queue *queue, size_t capacity, bool waits);
void flow_queue_done(struct flow_queue *queue);

// Copies the flow in. When the queue is full it waits, or drops the flow and counts it.
void flow_queue_push(struct flow_queue *queue, const struct named_flow *flow);
void flow_queue_wake(struct flow_queue *queue);
// No push may follow.
void flow_queue_close(struct flow_queue *queue);

// All that is queued, after a wait for it of at most `timeout_ms` (then the batch is empty). False when
// the queue is closed and everything was taken.
bool flow_queue_take(struct flow_queue *queue, unsigned timeout_ms, struct flow_batch *batch);
bool flow_queue_is_empty(struct flow_queue *queue);

// The next flow of the batch, NULL at its end.
const struct packed_flow *flow_batch_next(struct flow_batch *batch);
