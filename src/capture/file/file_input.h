// One input of a file source: what it is called, when it begins, and its reader while it is open. It may be closed
// after its first frame was seen and opened again when that is due. Owned by file_source; the source thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "capture/file/file_reader.h"

struct file_input {
    const char *path; // borrowed
    unsigned order;   // as named
    struct file_identity identity;
    int64_t first_ns;
    struct file_reader *reader; // while open
    bool has_head;
    struct frame head; // the next frame, read ahead
};

// Opens one that is closed; false with a sentence.
bool file_input_open(struct file_input *input, struct chunk_pool *pool, struct error *error);
void file_input_close(struct file_input *input); // one that is closed too

// Reads up to the first frame, with `header_is_enough` only the header of a pipe.
void file_input_read_head(struct file_input *input, bool header_is_enough);
// Whether there was none to read.
bool file_input_is_ended(const struct file_input *input);
