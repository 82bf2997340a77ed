// A file of whole units (lines, packet records), written so that it is readable whatever happens: units gathered in a
// buffer and written by write(2), cut back to the last whole one when the disk fills, never below the free space that
// is to stay; rotated by size, old ones deleted; begun anew where log rotation moved it. A SIGKILL while the kernel
// copies a write can still cut it between two pages. One owner, one thread (a writer); the counts may be read by any.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/output_buffer.h" // OUTPUT_BUFFER_BYTES: a unit is never longer

struct output_options {
    const char *component;   // of its log lines
    const char *unit;        // what it counts, in its sentences: "records"
    unsigned mode;           // of a new file
    bool append;             // what is found at the path when it is opened stays
    bool replace;            // what is found at the path after log rotation is emptied, else appended to
    uint64_t rotate_bytes;   // 0 = one file
    unsigned max_files;      // that are kept, the present one included; 0 = all
    uint64_t min_free_bytes; // 0 = not checked
    bool aside;              // the path holds head and tail until the file is whole: output_file_set_aside()
    bool keep_trying;        // after a failure, every second; else what follows is lost
    bool (*gives_up)(
        void);        // whether a reader is waited for no longer; asked ten times a second, NULL = never
    const char *head; // whole lines at the top of every file; borrowed
    const char *tail; // whole lines at its end, which close() writes; borrowed
    void *owner;      // for these, which may be NULL:
    void (*begun)(void *owner);                       // what comes next is the first of a file
    void (*completed)(void *owner, const char *path); // a file that was rotated away is closed
};

struct output_counts {
    _Atomic uint64_t records, bytes; // written, head and tail left out of the records
    _Atomic uint64_t lost;           // units that could not be written
    _Atomic uint64_t errors;         // failures, not counted again while one lasts
    _Atomic bool failing;            // one lasts
    _Atomic uint64_t min_free_bytes; // no count: that of the options, until another thread stores one
};

struct output_file;

extern const char output_short_of_space[]; // the reason of a loss under min_free_bytes

// `path` "-" is standard output. The file is emptied (but with `append`) and the head written; with rotation a new
// number is begun. NULL with a sentence when it cannot be opened. Pipes and devices are neither rotated nor checked for
// space; opening one waits for nobody, its first reader is waited for by whoever writes. `counts` outlives the file.
struct output_file *output_file_open(const char *path, const struct output_options *options,
                                     struct output_counts *counts, struct error *error);

// With `aside`, before the first unit: units go into another file, which close() puts at the path. Where none can be
// made beside it, and into what is no regular file, they are written at the path itself.
void output_file_set_aside(struct output_file *file);

// Room for a unit of at most `bytes`; NULL when it cannot be written now, which counts it as lost. `now_ns` is
// monotonic time, here and below. The unit is in the file once output_file_commit() has said how long it is.
uint8_t *output_file_reserve(struct output_file *file, size_t bytes, int64_t now_ns);
void output_file_commit(struct output_file *file, size_t bytes);
// The head of a file that is empty, made by the owner: room for it, NULL when nothing can be written, and its length.
uint8_t *output_file_place(struct output_file *file, size_t bytes);
void output_file_commit_head(struct output_file *file, size_t bytes);
// A copy of a whole unit.
void output_file_add(struct output_file *file, const char *unit, size_t length, int64_t now_ns);
// Also tries again after a failure.
void output_file_flush(struct output_file *file, int64_t now_ns);
// Units that were lost on the way here, and why.
void output_file_lose(struct output_file *file, uint64_t units, const char *reason);

// Whether nothing is in the file, and nothing in the buffer for it.
bool output_file_is_empty(const struct output_file *file);
// Whether the path does not lead to the open file any more.
bool output_file_is_moved(const struct output_file *file);
// Writes what is left and goes on at the path, when the file was moved from there. False when it could not be done;
// with `replace` the owner tries again, and close() says so if it never could.
bool output_file_follow(struct output_file *file, int64_t now_ns);

// Writes what is left and the tail, closes and frees. False with a sentence when a unit was lost.
bool output_file_close(struct output_file *file, struct error *error);
