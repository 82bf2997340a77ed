#include "base/record_ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/futex.h"

enum { CACHE_LINE = 64, RECORD_ALIGN = 8, CAPACITY_MIN = 4096 };

// In front of each record; a wrap header fills the end of the ring that was too short for a record.
struct record_header {
    uint32_t length;
    uint32_t wrap;
};

// Positions only grow; the place of one is position % capacity. A side that sleeps sets its flag first
// and looks again; the other side moves its position first and looks at the flag after: these four are in
// one order for both (sequentially consistent), so that one of them sees the other.
struct record_ring {
    uint8_t *bytes;
    size_t capacity;
    atomic_bool closed;
    _Alignas(CACHE_LINE) atomic_size_t head; // written by the producer
    size_t reserved;                         // producer: where head goes at commit
    size_t tail_seen;                        // producer: the last tail that it read
    _Alignas(CACHE_LINE) atomic_size_t tail; // written by the consumer
    size_t head_seen;                        // consumer: the last head that it read
    _Alignas(CACHE_LINE) atomic_uint consumer_sleeps;
    _Alignas(CACHE_LINE) atomic_uint producer_sleeps;
};

static size_t round_capacity(size_t wanted)
{
    assert(wanted <= SIZE_MAX / 2);
    size_t capacity = CAPACITY_MIN;
    while (capacity < wanted)
        capacity *= 2;
    return capacity;
}

struct record_ring *record_ring_create(size_t capacity_bytes)
{
    struct record_ring *ring = aligned_alloc(CACHE_LINE, sizeof *ring);
    if (ring == NULL)
        return NULL;
    *ring = (struct record_ring){.capacity = round_capacity(capacity_bytes)};
    ring->bytes = aligned_alloc(CACHE_LINE, ring->capacity);
    if (ring->bytes == NULL) {
        free(ring);
        return NULL;
    }
    return ring;
}

void record_ring_destroy(struct record_ring *ring)
{
    if (ring == NULL)
        return;
    free(ring->bytes);
    free(ring);
}

static void wake(atomic_uint *sleeps)
{
    if (atomic_load(sleeps) == 0)
        return;
    atomic_store_explicit(sleeps, 0, memory_order_relaxed);
    futex_wake(sleeps);
}

static size_t record_bytes(uint32_t length)
{
    return sizeof(struct record_header) + (((size_t)length + RECORD_ALIGN - 1) & ~(size_t)(RECORD_ALIGN - 1));
}

static struct record_header *header_at(struct record_ring *ring, size_t position)
{
    assert(position % RECORD_ALIGN == 0);
    return (struct record_header *)(void *)(ring->bytes + (position & (ring->capacity - 1)));
}

static bool has_room(struct record_ring *ring, size_t head, size_t bytes)
{
    if (head + bytes - ring->tail_seen <= ring->capacity)
        return true;
    ring->tail_seen = atomic_load(&ring->tail);
    assert(head - ring->tail_seen <= ring->capacity); // the consumer never passes the producer
    return head + bytes - ring->tail_seen <= ring->capacity;
}

static void wait_for_room(struct record_ring *ring, size_t head, size_t bytes)
{
    while (!has_room(ring, head, bytes)) {
        atomic_store(&ring->producer_sleeps, 1);
        if (!has_room(ring, head, bytes))
            futex_wait(&ring->producer_sleeps, 1, -1);
        atomic_store_explicit(&ring->producer_sleeps, 0, memory_order_relaxed);
    }
}

void *record_ring_reserve(struct record_ring *ring, uint32_t length, bool wait)
{
    assert(!atomic_load_explicit(&ring->closed, memory_order_relaxed));
    size_t bytes = record_bytes(length);
    if (bytes > ring->capacity / 2)
        return NULL;
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    size_t to_end = ring->capacity - (head & (ring->capacity - 1));
    size_t wrap = to_end < bytes ? to_end : 0;
    if (!has_room(ring, head, wrap + bytes)) {
        if (!wait)
            return NULL;
        wait_for_room(ring, head, wrap + bytes);
    }
    if (wrap > 0)
        *header_at(ring, head) = (struct record_header){.wrap = 1};
    struct record_header *header = header_at(ring, head + wrap);
    *header = (struct record_header){.length = length};
    ring->reserved = head + wrap + bytes;
    return header + 1;
}

void record_ring_commit_quietly(struct record_ring *ring)
{
    assert(ring->reserved > atomic_load_explicit(&ring->head, memory_order_relaxed));
    atomic_store(&ring->head, ring->reserved);
}

void record_ring_wake(struct record_ring *ring)
{
    wake(&ring->consumer_sleeps);
}

void record_ring_commit(struct record_ring *ring)
{
    record_ring_commit_quietly(ring);
    record_ring_wake(ring);
}

void record_ring_close(struct record_ring *ring)
{
    atomic_store(&ring->closed, true);
    wake(&ring->consumer_sleeps);
}

static bool has_record(struct record_ring *ring, size_t tail)
{
    if (ring->head_seen != tail)
        return true;
    ring->head_seen = atomic_load(&ring->head);
    assert(ring->head_seen - tail <= ring->capacity);
    return ring->head_seen != tail;
}

static bool is_closed(struct record_ring *ring)
{
    return atomic_load(&ring->closed);
}

// One sleep; being woken for nothing ends it too.
static void sleep_for_record(struct record_ring *ring, size_t tail, int timeout_ms)
{
    atomic_store(&ring->consumer_sleeps, 1);
    if (!has_record(ring, tail) && !is_closed(ring))
        futex_wait(&ring->consumer_sleeps, 1, timeout_ms);
    atomic_store_explicit(&ring->consumer_sleeps, 0, memory_order_relaxed);
}

static bool await_record(struct record_ring *ring, size_t tail, int timeout_ms)
{
    bool last_look = timeout_ms == 0;
    while (!has_record(ring, tail)) {
        if (last_look)
            return false;
        last_look = is_closed(ring); // what was committed before the close is seen by one more look
        if (last_look)
            continue;
        sleep_for_record(ring, tail, timeout_ms);
        last_look = timeout_ms > 0;
    }
    return true;
}

const void *record_ring_peek(struct record_ring *ring, uint32_t *length, int timeout_ms)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (!await_record(ring, tail, timeout_ms))
        return NULL;
    struct record_header *header = header_at(ring, tail);
    if (header->wrap != 0) { // its record was committed with it
        tail += ring->capacity - (tail & (ring->capacity - 1));
        atomic_store_explicit(&ring->tail, tail, memory_order_release);
        header = header_at(ring, tail);
        assert(header->wrap == 0 && ring->head_seen != tail);
    }
    assert(record_bytes(header->length) <= ring->head_seen - tail);
    *length = header->length;
    return header + 1;
}

void record_ring_release(struct record_ring *ring)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    assert(ring->head_seen != tail && header_at(ring, tail)->wrap == 0); // a record was looked at
    tail += record_bytes(header_at(ring, tail)->length);
    atomic_store(&ring->tail, tail);
    wake(&ring->producer_sleeps);
}

bool record_ring_ended(struct record_ring *ring)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    return is_closed(ring) && !has_record(ring, tail);
}

size_t record_ring_used(struct record_ring *ring)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    return atomic_load_explicit(&ring->head, memory_order_relaxed) - tail;
}
