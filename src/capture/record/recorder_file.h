// The file that the recorder writes: its name (one of a series when files are rotated), its descriptor, and how
// much is in it. It logs nothing and counts no packets. Owned by the recorder: its creator opens the first, then the
// tap's thread has it.
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/file_series.h"

struct recorder_file {
    char path[PATH_MAX];       // of the file being written
    int fd;                    // -1 = to be opened
    bool is_regular;           // it can be cut back to whole records
    struct file_series series; // when rotating
    uint64_t number;           // of the newest file
    uint64_t bytes;            // written to this file
};

void recorder_file_init(struct recorder_file *file);
// Closes it, unless it is stdout.
void recorder_file_done(struct recorder_file *file);

// Either opens the first file. False with a sentence (ERROR_UNAVAILABLE).
bool recorder_file_open_stdout(struct recorder_file *file, bool rotating, struct error *error);
bool recorder_file_open_first(struct recorder_file *file, const char *path, bool rotating,
                              struct error *error);

// Opens the path anew, empty; a descriptor that was open is left to the caller. False with errno.
bool recorder_file_open(struct recorder_file *file);
// False with errno when what was written could not be kept; it is closed all the same.
bool recorder_file_close(struct recorder_file *file);

// Takes the path of the next file of the series; false when it is too long.
bool recorder_file_name_next(struct recorder_file *file);
// Deletes the files of the series but for the newest `keep`.
void recorder_file_delete_old(const struct recorder_file *file, uint32_t keep);

// Whether the path still leads to the file that is being written.
bool recorder_file_is_in_place(const struct recorder_file *file);
// Cuts away what lies behind `bytes`. False when it cannot (a pipe).
bool recorder_file_cut_back(const struct recorder_file *file);
// Whether its file system has `bytes` free; true when that is not known.
bool recorder_file_has_room(const struct recorder_file *file, uint64_t bytes);
