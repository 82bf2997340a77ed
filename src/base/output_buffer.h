// Units (lines, packet records) gathered for one write: their bytes behind each other, and where each of them ends.
// Before the first may stand a head, bytes of no unit. Knows what of it is whole when a write took only a part; writes
// nothing itself. Part of an output_file, which owns it; one thread. No allocation, 576 KB.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A unit is never longer.
enum { OUTPUT_BUFFER_BYTES = 512 * 1024, OUTPUT_BUFFER_UNITS = 16384 };

struct output_buffer {
    size_t used;       // of `bytes`
    size_t head_bytes; // at its front, of no unit
    unsigned units;    // in it
    uint32_t ends[OUTPUT_BUFFER_UNITS];
    uint8_t bytes[OUTPUT_BUFFER_BYTES];
};

void output_buffer_empty(struct output_buffer *buffer);
// For one more unit, which is then written to `bytes + used` and committed.
bool output_buffer_has_room(const struct output_buffer *buffer, size_t bytes);
void output_buffer_commit(struct output_buffer *buffer, size_t bytes);
// Before the first unit.
void output_buffer_commit_head(struct output_buffer *buffer, size_t bytes);

// Units whose last byte is among the first `done` bytes.
unsigned output_buffer_units_within(const struct output_buffer *buffer, size_t done);
// How many of the first `done` bytes, with `units` whole ones in them, are before the one that was cut.
size_t output_buffer_whole_bytes(const struct output_buffer *buffer, size_t done, unsigned units);
// Takes the first `done` bytes out, with them `units`. Returns the bytes of the last of these; 0 = none.
uint32_t output_buffer_drop(struct output_buffer *buffer, size_t done, unsigned units);
