// The order in which the inputs of a file source are read: each is opened when its first frame is due, and of those
// that are open the one whose next frame is the earliest has its turn, until another's is earlier. Owned by
// file_source; the source thread. A turn costs a look at all open inputs, a frame within it one comparison.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "capture/file/file_faults.h"
#include "capture/file/file_input.h"
#include "capture/file/file_source.h"

struct file_merge {
    struct file_input *inputs; // by first stamp; borrowed
    unsigned count;
    unsigned due; // the first one not opened yet
    struct file_input *open[FILE_SOURCE_OPEN_MAX];
    unsigned open_count, open_max;
    bool crowded;               // more inputs overlap than may be open: said once
    struct file_input *current; // whose turn it is; NULL = to be chosen
    int64_t current_until;      // while its stamps are not later, it stays
    struct chunk_pool *pool;
    struct file_faults *faults;
};

// All is borrowed. Pipes among the inputs are open already, other inputs but a single one are not.
void file_merge_init(struct file_merge *merge, struct file_input *inputs, unsigned count, unsigned open_max,
                     struct chunk_pool *pool, struct file_faults *faults);

// Whose turn is next becomes the current one; an input without a head is, only to get one. False when all are done.
bool file_merge_choose(struct file_merge *merge);
// The current one is read to its end: closes it, and notes what was wrong with it.
void file_merge_finish(struct file_merge *merge);
// Whether there is a further frame, which is read and left lying, or a pipe that may bring one. Only at the end.
bool file_merge_has_more(struct file_merge *merge);
