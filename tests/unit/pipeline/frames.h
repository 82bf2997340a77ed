// Frames for the tests of the pipeline: real bytes in a real chunk, Ethernet and IPv4, from 10.0.0.1 to
// 10.0.0.2, port 53. Times are in nanoseconds since FRAMES_START_NS, a tick's boundary.
#pragma once

#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "capture/chunk.h"
#include "capture/source.h"

#define FRAMES_START_NS (INT64_C(1700000000) * NS_PER_S)

enum { LINK_ETHERNET = 1, UDP_FRAME_BYTES = 42, TICK_MS = 50 };

static inline struct frame frame_of(struct chunk *chunk, const uint8_t *bytes, uint32_t length, int64_t at_ns)
{
    if (chunk->capacity - chunk->used < length)
        chunk->used = 0; // the test has long decoded what lies there
    uint8_t *place = chunk->bytes + chunk->used;
    memcpy(place, bytes, length);
    chunk->used += length;
    return (struct frame){
        .time_ns = FRAMES_START_NS + at_ns,
        .bytes = place,
        .captured = length,
        .length = length,
        .link_type = LINK_ETHERNET,
        .chunk = chunk,
    };
}

static inline struct frame udp_frame(struct chunk *chunk, uint16_t port, int64_t at_ns)
{
    const uint8_t bytes[UDP_FRAME_BYTES] = {
        2,
        0,
        0,
        0,
        0,
        2,
        2,
        0,
        0,
        0,
        0,
        1,
        8,
        0, // Ethernet
        0x45,
        0,
        0,
        28,
        0,
        0,
        0,
        0,
        64,
        17,
        0x66,
        0xcf,
        10,
        0,
        0,
        1,
        10,
        0,
        0,
        2, // IPv4
        (uint8_t)(port >> 8),
        (uint8_t)port,
        0,
        53,
        0,
        8,
        0,
        0, // UDP
    };
    return frame_of(chunk, bytes, sizeof bytes, at_ns);
}
