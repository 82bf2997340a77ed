// Frames in memory for the benchmarks that need no more than a piece of traffic.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct set_frame {
    int64_t time_ns;
    size_t offset; // into the set's bytes
    uint32_t captured, length;
};

struct frame_set {
    struct set_frame *frames;
    size_t count;
    uint8_t *bytes;
};

// The first `most` frames of an Ethernet capture; ends the program when there are none.
void frame_set_load(struct frame_set *set, const char *path, size_t most);
// `flows` conversations of `steps` frames.
void frame_set_make(struct frame_set *set, uint64_t flows, unsigned steps);
void frame_set_done(struct frame_set *set);
