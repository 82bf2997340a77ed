// A bounded ring of records of any length between one producer thread and one consumer thread. A record
// lies in one piece. Who finds the ring full or empty sleeps in the kernel (futex) when it wants to wait;
// nobody spins. Memory: the capacity, at once. Cost of a record: its copy by the producer and, when the
// other side sleeps, one system call.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record_ring;

// `capacity_bytes` is rounded up to a power of two of at least 4096. NULL without memory.
struct record_ring *record_ring_create(size_t capacity_bytes);
void record_ring_destroy(struct record_ring *ring); // takes NULL

// Producer. Room for a record of `length` bytes (aligned to 8), to be filled and then committed. When the
// ring is full: waits, or NULL without `wait`. NULL always for records longer than half the capacity.
void *record_ring_reserve(struct record_ring *ring, uint32_t length, bool wait);
void record_ring_commit(struct record_ring *ring);
// The same in two steps: a consumer that sleeps may go on sleeping until the producer wakes it, so that it
// finds several records at once. It must be woken before the producer waits for it.
void record_ring_commit_quietly(struct record_ring *ring);
void record_ring_wake(struct record_ring *ring);
void record_ring_close(struct record_ring *ring); // no more records; wakes the consumer

// Consumer. The oldest record, which stays until released; NULL when none came within `timeout_ms`
// (negative = for ever), or when the ring is closed and empty.
const void *record_ring_peek(struct record_ring *ring, uint32_t *length, int timeout_ms);
void record_ring_release(struct record_ring *ring);
bool record_ring_ended(struct record_ring *ring); // closed, and nothing left in it

// Bytes in the ring now. Any thread.
size_t record_ring_used(struct record_ring *ring);
