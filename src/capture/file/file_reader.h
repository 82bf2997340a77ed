// Reads one capture file, pcap or pcapng, frame by frame out of chunks. Nothing is copied but a record
// that straddles the end of a chunk. Owned by file_source; the source thread. In two calls, so that the
// caller knows when bytes that it was given may go: file_reader_next() never does I/O nor gives a chunk
// back, file_reader_fill() does both.
#pragma once

#include "capture/chunk.h"
#include "capture/file/file_format.h"
#include "capture/file/pcap_file.h"
#include "capture/file/pcapng_file.h"
#include "capture/file/stream.h"

enum reader_format { READER_UNKNOWN, READER_PCAP_HEADER, READER_PCAP, READER_PCAPNG };

enum reader_result {
    READER_FRAME,
    READER_NEEDS_BYTES, // call file_reader_fill()
    READER_END,         // see `verdict`
};

enum fill_result {
    FILL_DONE,     // go on with file_reader_next(), at the end of the input too
    FILL_WAIT,     // a pipe with nothing in it
    FILL_NO_CHUNK, // all chunks are out
};

struct file_reader {
    const char *path; // borrowed
    struct file_identity identity;
    struct stream *stream;
    struct chunk_pool *pool;
    struct chunk *chunk; // being filled; NULL at first
    size_t at;           // in the chunk: the first byte not parsed
    uint64_t skip;       // bytes of the input to pass over
    uint64_t offset;     // of `at` in the (decompressed) input
    uint64_t frames;     // handed over
    enum reader_format format;
    bool header_read; // an interface is known
    bool input_ended;
    enum error_kind verdict; // once ended; ERROR_NONE, or with `error`
    struct error error;
    struct pcap_file pcap;
    struct pcapng_file pcapng;
    struct parse_step step;
};

// Path and identity's texts are borrowed and must outlive the reader. False with a sentence when it cannot
// be opened.
bool file_reader_open(struct file_reader *reader, const char *path, const struct file_identity *identity,
                      struct chunk_pool *pool, struct error *error);
void file_reader_close(struct file_reader *reader);

enum reader_result file_reader_next(struct file_reader *reader, struct frame *frame);
// Waits at most `timeout_ms` for a pipe or a chunk (negative = for ever).
enum fill_result file_reader_fill(struct file_reader *reader, int timeout_ms);
