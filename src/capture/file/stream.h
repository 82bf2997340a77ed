// Bytes of one input: a path or stdin ("-"), decompressed when its first bytes say gzip or zstd. Owned by
// one reader; the source thread. Plain bytes are read straight to where the caller wants them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum stream_result {
    STREAM_BYTES,     // *length bytes (1 or more)
    STREAM_WAIT,      // a pipe with nothing in it for now
    STREAM_END,       // the whole input was read
    STREAM_TRUNCATED, // the compressed data ends in the middle
    STREAM_FAILED,    // a read error or corrupt compressed data: stream_error() has the sentence
};

struct stream;

// Fails with ERROR_UNAVAILABLE: no such file, a directory, no permission. Opening a FIFO waits for its writer.
struct stream *stream_open(const char *path, struct error *error);
void stream_close(struct stream *stream); // takes NULL

// Up to `capacity` bytes into `into`. Only pipes and terminals make it wait: at most `timeout_ms` (negative
// = for ever). The results after STREAM_WAIT in the enum are final and repeat.
enum stream_result stream_read(struct stream *stream, void *into, size_t capacity, size_t *length,
                               int timeout_ms);

bool stream_is_file(const struct stream *stream);            // can be closed and read again from the start
const char *stream_compression(const struct stream *stream); // "gzip", "zstd" or NULL; known after a read
const struct error *stream_error(const struct stream *stream);
