// A side of a TCP flow whose ClientHello or DNS message lies in several segments: its bytes from a known sequence number
// on, in whatever order they come. What came first stays. Streams lie in the pool of their partition, which holds
// ASSEMBLY_POOL_BYTES at most, so that who makes room for others does not depend on the number of shards. One owner, one
// thread; two allocations a stream, none a packet that needs no stream. Internal to flow/.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ASSEMBLY_PARTS = 8,             // that are at hand apart from each other
    ASSEMBLY_ROOM_MAX = 17 * 1024,  // of bytes of a stream
    ASSEMBLY_POOL_BYTES = 24 * 1024 // of a partition, 1.5 MiB in all
};

enum assembly_kind {
    ASSEMBLY_AWAITED, // its first bytes are still to come
    ASSEMBLY_TLS,
    ASSEMBLY_DNS,
};

struct assembly_part {
    uint32_t begin, end;
};

struct assembly {
    struct assembly *older, *newer; // in the pool
    uint32_t flow;                  // id
    uint32_t base;                  // sequence number of the first byte
    uint32_t room;                  // bytes that there is room for now
    uint8_t side;
    uint8_t kind;  // enum assembly_kind
    uint8_t parts; // ascending, with a hole before each but perhaps the first
    struct assembly_part part[ASSEMBLY_PARTS];
    uint8_t *bytes;
};

struct assembly_pool {
    struct assembly *oldest, *newest; // by their beginning
    uint32_t bytes;                   // that its streams take
};

// The newest of the pool; NULL without memory. Whoever opens one has made room before.
struct assembly *assembly_open(struct assembly_pool *pool, uint32_t flow, uint8_t side, uint32_t base);
void assembly_close(struct assembly_pool *pool, struct assembly *stream);

// What more the stream would take to hold the segment; 0 when there is room, or when it lies beyond all room.
uint32_t assembly_more_bytes(const struct assembly *stream, uint32_t sequence, uint32_t length);
// What a new stream takes that begins with so many bytes.
uint32_t assembly_first_bytes(uint32_t length);

// Takes what is new of a segment. False: it lies beyond what may ever be held, is one part too many, or there is no
// memory: it is as lost as one that never came.
bool assembly_put(struct assembly_pool *pool, struct assembly *stream, uint32_t sequence,
                  const uint8_t *bytes, uint32_t length);

// How many bytes are at hand without a hole from the first on.
static inline uint32_t assembly_front(const struct assembly *stream)
{
    return stream->parts > 0 && stream->part[0].begin == 0 ? stream->part[0].end : 0;
}

// Whether bytes behind a hole are at hand.
static inline bool assembly_has_hole(const struct assembly *stream)
{
    return stream->parts > 1 || (stream->parts == 1 && stream->part[0].begin != 0);
}

// The first bytes are over, at hand or not.
void assembly_pass(struct assembly *stream, uint32_t bytes);
