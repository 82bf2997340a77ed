// The raw side of an output: writing all bytes, and repairing a file whose last write was cut short so
// that it ends in a whole line. Plain descriptors; the caller owns them.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// *done bytes were written; false with errno when they are not all.
bool line_file_write(int fd, const char *bytes, size_t length, size_t *done);

// After a write that ended within `bytes` after `done` bytes of it: cuts the half line off the end of
// the regular file. Returns the bytes that stay.
size_t line_file_cut_half_line(int fd, const char *bytes, size_t done);

// Cuts the last line off the regular file, but nothing of its first `keep` bytes. False when there is
// none to cut.
bool line_file_cut_last_line(int fd, const char *path, size_t keep);
