#include "flow/assembly.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_STEP = 1024 };

static uint32_t room_for(uint32_t end)
{
    uint32_t room = (end + ROOM_STEP - 1) / ROOM_STEP * ROOM_STEP;
    return room < ASSEMBLY_ROOM_MAX ? room : ASSEMBLY_ROOM_MAX;
}

uint32_t assembly_first_bytes(uint32_t length)
{
    return (uint32_t)sizeof(struct assembly) + room_for(length);
}

struct assembly *assembly_open(struct assembly_pool *pool, uint32_t flow, uint8_t side, uint32_t base)
{
    struct assembly *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    stream->flow = flow;
    stream->side = side;
    stream->base = base;
    stream->older = pool->newest;
    if (pool->newest != NULL)
        pool->newest->newer = stream;
    else
        pool->oldest = stream;
    pool->newest = stream;
    pool->bytes += (uint32_t)sizeof *stream;
    return stream;
}

void assembly_close(struct assembly_pool *pool, struct assembly *stream)
{
    uint32_t bytes = (uint32_t)sizeof *stream + stream->room;
    assert(pool->bytes >= bytes);
    assert(stream->older != NULL ? stream->older->newer == stream : pool->oldest == stream);
    assert(stream->newer != NULL ? stream->newer->older == stream : pool->newest == stream);
    pool->bytes -= bytes;
    *(stream->older != NULL ? &stream->older->newer : &pool->oldest) = stream->newer;
    *(stream->newer != NULL ? &stream->newer->older : &pool->newest) = stream->older;
    free(stream->bytes);
    free(stream);
}

// What of a segment is the stream's: false for what lies before it, or beyond what may be held.
static bool place_of(const struct assembly *stream, uint32_t sequence, uint32_t length,
                     struct assembly_part *place)
{
    int64_t begin = (int32_t)(sequence - stream->base), end = begin + length;
    if (end <= 0 || begin >= ASSEMBLY_ROOM_MAX)
        return false;
    place->begin = begin > 0 ? (uint32_t)begin : 0;
    place->end = end < ASSEMBLY_ROOM_MAX ? (uint32_t)end : ASSEMBLY_ROOM_MAX;
    return true;
}

uint32_t assembly_more_bytes(const struct assembly *stream, uint32_t sequence, uint32_t length)
{
    struct assembly_part place;
    if (!place_of(stream, sequence, length, &place) || place.end <= stream->room)
        return 0;
    return room_for(place.end) - stream->room;
}

static bool grow(struct assembly_pool *pool, struct assembly *stream, uint32_t end)
{
    if (end <= stream->room)
        return true;
    uint32_t room = room_for(end);
    uint8_t *bytes = realloc(stream->bytes, room);
    if (bytes == NULL)
        return false;
    pool->bytes += room - stream->room;
    stream->bytes = bytes;
    stream->room = room;
    return true;
}

static void copy_new(struct assembly *stream, const struct assembly_part *place, const uint8_t *bytes)
{
    uint32_t at = place->begin;
    for (unsigned i = 0; i < stream->parts && stream->part[i].begin < place->end; i++) {
        const struct assembly_part *part = &stream->part[i];
        if (part->begin > at)
            memcpy(stream->bytes + at, bytes + (at - place->begin), part->begin - at);
        if (part->end > at)
            at = part->end;
    }
    if (at < place->end)
        memcpy(stream->bytes + at, bytes + (at - place->begin), place->end - at);
}

// Joins a place with the parts that it touches. False: it would be one part too many.
static bool join(struct assembly *stream, struct assembly_part place)
{
    struct assembly_part kept[ASSEMBLY_PARTS + 1];
    unsigned count = 0, i = 0;
    for (; i < stream->parts && stream->part[i].end < place.begin; i++)
        kept[count++] = stream->part[i];
    for (; i < stream->parts && stream->part[i].begin <= place.end; i++) {
        if (stream->part[i].begin < place.begin)
            place.begin = stream->part[i].begin;
        if (stream->part[i].end > place.end)
            place.end = stream->part[i].end;
    }
    kept[count++] = place;
    for (; i < stream->parts; i++)
        kept[count++] = stream->part[i];
    if (count > ASSEMBLY_PARTS)
        return false;
    memcpy(stream->part, kept, count * sizeof kept[0]);
    stream->parts = (uint8_t)count;
    return true;
}

bool assembly_put(struct assembly_pool *pool, struct assembly *stream, uint32_t sequence,
                  const uint8_t *bytes, uint32_t length)
{
    struct assembly_part place;
    int32_t begin = (int32_t)(sequence - stream->base);
    if (!place_of(stream, sequence, length, &place))
        return begin < ASSEMBLY_ROOM_MAX; // nothing new
    if (!grow(pool, stream, place.end))
        return false;
    assert(place.begin < place.end && place.end <= stream->room);
    copy_new(stream, &place, bytes + (place.begin - (uint32_t)begin));
    return join(stream, place);
}

void assembly_pass(struct assembly *stream, uint32_t bytes)
{
    unsigned kept = 0;
    uint32_t end = stream->parts > 0 ? stream->part[stream->parts - 1].end : 0;
    if (end > bytes)
        memmove(stream->bytes, stream->bytes + bytes, end - bytes);
    for (unsigned i = 0; i < stream->parts; i++) {
        struct assembly_part part = stream->part[i];
        if (part.end <= bytes)
            continue;
        stream->part[kept].begin = part.begin > bytes ? part.begin - bytes : 0;
        stream->part[kept++].end = part.end - bytes;
    }
    stream->parts = (uint8_t)kept;
    stream->base += bytes;
}
