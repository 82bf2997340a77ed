// Sorted runs of spooled lines in a file, read as one. Each run has a share of the memory for its reads; equal keys
// come in the order of the runs. Cost: log2(runs) comparisons a line. One owner, one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/record.h"

struct spooled_line {
    uint32_t bytes;  // with this head and the padding
    uint32_t length; // of the line
    uint8_t key[FLOW_SORT_KEY_BYTES];
    char line[];
};
_Static_assert(sizeof(struct spooled_line) == 2 * sizeof(uint32_t) + FLOW_SORT_KEY_BYTES, "no padding");

// A run in the file, and how far it was read.
struct spool_run {
    uint64_t next, end;
    uint64_t lines;    // not read yet
    uint8_t *buffer;   // its share of the memory
    size_t at, filled; // of it
};

struct spool_merge {
    int fd;
    struct spool_run *runs; // borrowed
    size_t share;
    uint32_t *heap; // numbers of runs, the one with the first line at the top
    size_t heap_count;
    bool taken;    // the line at the top was given out
    uint64_t lost; // lines that could not be read
    int failure;   // errno of the first of them
};

// `memory` holds `count` shares of `share` bytes, each room for the longest line; aligned to 4 bytes. False without
// memory.
bool spool_merge_init(struct spool_merge *merge, int fd, struct spool_run *runs, size_t count,
                      uint8_t *memory, size_t share);
void spool_merge_done(struct spool_merge *merge);

// The next line, valid until the next call; NULL at the end.
const struct spooled_line *spool_merge_next(struct spool_merge *merge);
