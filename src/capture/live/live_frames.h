// The frames that a live source hands over: copied into chunks while a poll runs, for pointers into libpcap's memory
// hold other bytes afterwards. Owned by the live source; its thread. Costs a copy of each frame, into memory that the
// caches hold as long as the shards keep up: a chunk that nobody else holds any more is filled from its front again.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "capture/chunk.h"
#include "capture/live/live_handle.h"
#include "capture/source.h"

struct live_frames {
    struct chunk_pool *pool;
    struct chunk *chunk;   // being filled
    struct chunk *retired; // full: their frames were handed over by the last poll
    struct frame *into;    // where the poll that runs puts them
    unsigned capacity, count;
};

// `pool` is borrowed.
void live_frames_init(struct live_frames *frames, struct chunk_pool *pool);
void live_frames_done(struct live_frames *frames);

// A poll begins, which may hand over `capacity` frames; those of the last one are not looked at any more.
void live_frames_begin(struct live_frames *frames, struct frame *into, unsigned capacity);
// Sees to it that a frame of `bytes` can be taken; waits for a chunk at most `timeout_ms`, false when none came.
bool live_frames_make_room(struct live_frames *frames, size_t bytes, int timeout_ms);
// How many more the poll may hand over.
static inline unsigned live_frames_left(const struct live_frames *frames)
{
    return frames->capacity - frames->count;
}

// `owner` is a struct live_frames. Without room the frame counts as dropped: no_chunk.
live_frame live_frames_take;
