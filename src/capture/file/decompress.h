// Streaming decompression of gzip and zstd: compressed bytes in, plain bytes out. Used by stream.c only;
// holds no file. One thread. The rows are chosen by the first bytes of the input.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum decompress_result {
    DECOMPRESS_MORE,  // went as far as input and room allow
    DECOMPRESS_WHOLE, // as above, and a member or frame ended: the input may end here
    DECOMPRESS_CORRUPT,
    DECOMPRESS_TOO_LARGE, // it needs more memory than decompress_window_most()
};

// Both sides of one call; the row moves them on.
struct decompress_step {
    const uint8_t *in;
    size_t in_left;
    uint8_t *out;
    size_t out_left;
};

struct decompressor {
    const char *name; // "gzip"
    bool (*matches)(const uint8_t *bytes, size_t length);
    void *(*create)(void); // NULL without memory
    enum decompress_result (*run)(void *state, struct decompress_step *step);
    void (*destroy)(void *state);
};

enum { DECOMPRESS_MAGIC_BYTES = 4 };

// What an input may keep of its plain bytes to look back at, which zstd may want any amount of: 128 MB, as zstd itself
// allows without being asked, or an eighth of `limit_bytes` (memory_limit()), but never less than 8 MB.
uint64_t decompress_window_most(uint64_t limit_bytes);

// The row that these first bytes (DECOMPRESS_MAGIC_BYTES, fewer at the end of a short input) ask for;
// NULL = not compressed.
const struct decompressor *decompressor_for(const uint8_t *bytes, size_t length);
