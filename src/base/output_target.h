// Where an output goes: a path, or numbered ones that follow each other and of which the last few are kept, and what is
// open there, a file, a pipe or a device, with its size. Opening waits for nobody: the first reader of a FIFO is waited
// for before the first write. A file may be written aside and put at the path by closing it. Knows nothing of what is
// written. Part of an output_file, which owns it; one thread. Functions that return false leave the reason in errno.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/aside.h"
#include "base/file_series.h"
#include "base/output_descriptor.h"

struct output_target {
    char *given; // the path as it was given
    char *path;  // of what is open
    mode_t mode; // of a new file
    bool to_stdout;
    struct file_series series; // when rotating
    uint64_t number;           // of the file that is open; 0 = not numbered
    struct output_descriptor out;
    uint64_t size;     // bytes in the file
    bool awaits_first; // reader, of a FIFO: nothing is open yet
    struct aside aside;
};

// `path` "-" is standard output. False without memory.
bool output_target_init(struct output_target *target, const char *path, mode_t mode, bool (*gives_up)(void));
// What is written aside goes into place.
void output_target_done(struct output_target *target);
// What people call it: `path`, or "standard output".
const char *output_target_name(const struct output_target *target, const char *path);

// Opens the path; with `rotated` the number after the last one that is there. A FIFO that nobody reads yet is as good
// as open. Pipes and devices are not numbered.
bool output_target_open(struct output_target *target, bool rotated, bool emptied);
// In place of what is open, which stays when the path cannot be opened.
bool output_target_open_again(struct output_target *target, bool emptied);
// The next number that nobody has taken. Nothing is open any more.
bool output_target_open_next(struct output_target *target);
// The reader of a FIFO that awaits its first one, if it is there: ENXIO when not.
bool output_target_meet_first_reader(struct output_target *target);
// Waits for it until the owner gives up: ETIMEDOUT.
bool output_target_await_first_reader(struct output_target *target);
// Whether the path does not lead to the open file any more.
bool output_target_is_moved(const struct output_target *target);

// Deletes the numbers that are more than `max_files` (0 = none is); looks at the directory.
void output_target_delete_old(const struct output_target *target, unsigned max_files);
// Only those that became too many since `number_before` was written, by their names.
void output_target_delete_oldest(const struct output_target *target, unsigned max_files,
                                 uint64_t number_before);

// What is written next goes aside, or where nothing can be made beside it into the emptied file itself.
bool output_target_set_aside(struct output_target *target);
// What is open; what was written aside goes into place.
bool output_target_close(struct output_target *target);
