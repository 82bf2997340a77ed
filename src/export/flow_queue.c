#include "export/flow_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "base/time.h"
#include "capture/clock.h"

static void init_locks(struct flow_queue *queue)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, &attributes);
    pthread_cond_init(&queue->emptied, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool flow_queue_init(struct flow_queue *queue, size_t capacity, bool waits)
{
    assert(capacity >= PACKED_FLOW_MOST_BYTES);
    *queue = (struct flow_queue){.capacity = capacity, .waits = waits};
    init_locks(queue);
    queue->filling = malloc(capacity);
    queue->draining = malloc(capacity);
    return queue->filling != NULL && queue->draining != NULL;
}

void flow_queue_done(struct flow_queue *queue)
{
    free(queue->filling);
    free(queue->draining);
    pthread_cond_destroy(&queue->filled);
    pthread_cond_destroy(&queue->emptied);
    pthread_mutex_destroy(&queue->lock);
}

// Under the lock: whether `bytes` more fit, after a wait where the queue waits.
static bool make_room(struct flow_queue *queue, size_t bytes)
{
    while (queue->waits && queue->capacity - queue->used < bytes) {
        pthread_cond_signal(&queue->filled);
        pthread_cond_wait(&queue->emptied, &queue->lock);
    }
    return queue->capacity - queue->used >= bytes;
}

void flow_queue_push(struct flow_queue *queue, const struct named_flow *flow)
{
    size_t bytes = packed_flow_bytes(flow);
    pthread_mutex_lock(&queue->lock);
    assert(!queue->closed);
    if (make_room(queue, bytes)) {
        packed_flow_write(queue->filling + queue->used, flow);
        queue->used += bytes;
        if (queue->used >= queue->capacity / 4)
            pthread_cond_signal(&queue->filled);
    } else {
        atomic_fetch_add_explicit(&queue->dropped, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&queue->lock);
}

void flow_queue_wake(struct flow_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->used > 0)
        pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

void flow_queue_close(struct flow_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

static struct timespec after_ms(unsigned timeout_ms)
{
    int64_t until_ns = clock_now_ns() + timeout_ms * NS_PER_MS;
    return (struct timespec){.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
}

// Under the lock. One wait: a wake-up without cause gives an empty batch, which does no harm.
static void swap_buffers(struct flow_queue *queue, struct flow_batch *batch)
{
    uint8_t *full = queue->filling;
    queue->filling = queue->draining;
    queue->draining = full;
    *batch = (struct flow_batch){.at = full, .end = full + queue->used};
    queue->used = 0;
    pthread_cond_signal(&queue->emptied);
}

bool flow_queue_take(struct flow_queue *queue, unsigned timeout_ms, struct flow_batch *batch)
{
    struct timespec until = after_ms(timeout_ms);
    pthread_mutex_lock(&queue->lock);
    if (queue->used == 0 && !queue->closed)
        pthread_cond_timedwait(&queue->filled, &queue->lock, &until);
    swap_buffers(queue, batch);
    bool more = batch->at < batch->end || !queue->closed;
    pthread_mutex_unlock(&queue->lock);
    return more;
}

bool flow_queue_is_empty(struct flow_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool empty = queue->used == 0;
    pthread_mutex_unlock(&queue->lock);
    return empty;
}

const struct packed_flow *flow_batch_next(struct flow_batch *batch)
{
    if (batch->at == batch->end)
        return NULL;
    const struct packed_flow *packed = (const void *)batch->at;
    batch->at += packed->bytes;
    return packed;
}
