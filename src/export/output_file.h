// A file of lines, written so that it is readable whatever happens: whole lines gathered in a buffer and
// written by write(2), cut back to the last whole line when the disk fills, never below the free space
// that is to stay; rotated by size, old ones deleted or compressed. A SIGKILL while
// the kernel copies a write can still cut it between two pages. One owner, one thread (a writer); the counts
// may be read by any.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

// A line is never longer.
enum { OUTPUT_BUFFER_BYTES = 256 * 1024 };

struct output_options {
    uint64_t rotate_bytes;   // 0 = one file
    unsigned max_files;      // 0 = all
    bool compress;           // the complete ones
    uint64_t min_free_bytes; // 0 = not checked
    bool keep_trying;        // after a failure, every 10 s; else what follows is lost
    const char *head;        // whole lines at the top of every file; borrowed
    const char *tail;        // whole lines at its end, which close() writes; borrowed
};

struct output_counts {
    _Atomic uint64_t records, bytes; // written, head and tail left out of the records
    _Atomic uint64_t lost;           // records that could not be written
    _Atomic uint64_t errors;         // failures, not counted again while one lasts
};

struct output_file;

extern const char output_short_of_space[]; // the reason of a loss under min_free_bytes

// `path` "-" is standard output. The file is truncated and the head written; with rotation a new number
// is begun. NULL with a sentence when it cannot be opened. Pipes and devices are neither rotated nor checked for
// space. `counts` outlives the file.
struct output_file *output_file_open(const char *path, const struct output_options *options,
                                     struct output_counts *counts, struct error *error);

// A line with its newline, or none of it (counted as lost). `now_ns` is monotonic time.
void output_file_add(struct output_file *file, const char *line, size_t length, int64_t now_ns);
void output_file_flush(struct output_file *file, int64_t now_ns);
// Records that were lost on the way here, and why.
void output_file_lose(struct output_file *file, uint64_t records, const char *reason);
// Closes the file and opens its path again, at the end of what is there.
void output_file_reopen(struct output_file *file, int64_t now_ns);

// Writes what is left and the tail, closes and frees. False with a sentence when a record was lost.
bool output_file_close(struct output_file *file, struct error *error);
