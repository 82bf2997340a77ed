// The captures to mix, in memory: their frames one after the other, with times from each capture's start.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct capture_frame {
    uint64_t at_us; // never before the frame before it
    size_t offset;  // into the capture's bytes
    uint32_t captured, length;
};

struct capture {
    struct capture_frame *frames;
    size_t count, room;
    uint8_t *bytes;
    size_t used, capacity;
};

struct capture_list {
    struct capture *items;
    uint32_t count, room;
    uint32_t skipped; // files that are no Ethernet capture, or hold no packet
    size_t bytes;     // of all frames
};

// Adds a capture file, or every one below a directory in the order of their names. Fails with a sentence
// when the path does not exist; a file that libpcap cannot read whole counts as far as it goes.
void capture_list_add(struct capture_list *list, const char *path);
void capture_list_done(struct capture_list *list);
