#include "capture/live/live_frames.h"

#include <assert.h>
#include <string.h>

void live_frames_init(struct live_frames *frames, struct chunk_pool *pool)
{
    *frames = (struct live_frames){.pool = pool};
}

static void release_retired(struct live_frames *frames)
{
    while (frames->retired != NULL) {
        struct chunk *chunk = frames->retired;
        frames->retired = chunk->next;
        chunk_release(chunk);
    }
}

void live_frames_done(struct live_frames *frames)
{
    release_retired(frames);
    if (frames->chunk != NULL)
        chunk_release(frames->chunk);
}

void live_frames_begin(struct live_frames *frames, struct frame *into, unsigned capacity)
{
    assert(into != NULL && capacity > 0);
    release_retired(frames);
    if (frames->chunk != NULL && chunk_is_mine(frames->chunk))
        frames->chunk->used = 0;
    frames->into = into;
    frames->capacity = capacity;
    frames->count = 0;
}

bool live_frames_make_room(struct live_frames *frames, size_t bytes, int timeout_ms)
{
    struct chunk *chunk = frames->chunk;
    if (chunk != NULL && chunk->capacity - chunk->used >= bytes)
        return true;
    struct chunk *fresh = chunk_pool_take(frames->pool, timeout_ms);
    if (fresh == NULL)
        return false;
    if (chunk != NULL) {
        chunk->next = frames->retired;
        frames->retired = chunk;
    }
    frames->chunk = fresh;
    return bytes <= fresh->capacity;
}

void live_frames_take(void *owner, struct live_handle *handle, int64_t time_ns, const uint8_t *bytes,
                      uint32_t captured, uint32_t length)
{
    struct live_frames *frames = owner;
    if (live_frames_left(frames) == 0 || !live_frames_make_room(frames, captured, 0)) {
        handle->counted.no_chunk++;
        return;
    }
    struct chunk *chunk = frames->chunk;
    memcpy(chunk->bytes + chunk->used, bytes, captured);
    frames->into[frames->count++] = (struct frame){
        .time_ns = time_ns,
        .bytes = chunk->bytes + chunk->used,
        .captured = captured,
        .length = length > captured ? length : captured,
        .interface = handle->interface,
        .link_type = handle->link_type,
        .chunk = chunk,
    };
    chunk->used += captured;
    handle->counted.delivered++;
}
