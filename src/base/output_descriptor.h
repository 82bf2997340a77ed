// What an output is written to: a file, a pipe, a device. A write waits for whoever reads a pipe, but not longer than its
// owner has patience, and fills a full disk to its end. One owner, one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { OUTPUT_LOOK_AGAIN_MS = 100 };

struct output_descriptor {
    int fd;                 // -1 = none
    bool (*gives_up)(void); // whether nobody is waited for any longer; NULL = never
    bool regular;           // a file of our own: what was cut can be taken off
    bool blocks;            // in a write
};

// An open file for writing, its position at its end; "-" is standard output. Opening a FIFO waits for nobody: -1 with
// ENXIO when nobody reads it.
int output_descriptor_open(const char *path, int flags, mode_t mode);
// Takes an open file and says how many bytes are in it; false with errno when `fd` is none.
bool output_descriptor_take(struct output_descriptor *out, int fd, bool to_stdout, uint64_t *size);
void output_descriptor_close(struct output_descriptor *out);

bool output_descriptor_is_given_up(const struct output_descriptor *out);
// Whether nobody has the pipe open for reading.
bool output_descriptor_has_no_reader(const struct output_descriptor *out);
// Returns the bytes that were taken; errno says why they are not all, ETIMEDOUT that nobody read them in time.
size_t output_descriptor_write(const struct output_descriptor *out, const void *bytes, size_t length);
// Takes off the last bytes of a regular file.
bool output_descriptor_shorten(const struct output_descriptor *out, size_t by);
