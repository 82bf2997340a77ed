// The files that this run has written and ended, by what they are (device and inode): whoever would write to one again
// must not empty it. Thread: as struct file_outputs.
#pragma once

#include "app/file_outputs.h"

// Room for one more of each row. False with a sentence without memory.
bool written_files_reserve(struct file_outputs *files, struct error *error);
// A file that was ended, if it can be found at its path. There is room.
void written_files_add(struct file_outputs *files, unsigned row, const char *path);
// The one at this path; NULL = this run has written none there.
const struct written_file *written_files_have(const struct file_outputs *files, const char *path);
