// Which file a path leads to, as far as one can tell without reading it: whoever reads files again when they change looks at
// this first. A plain value; any thread.
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

struct file_version {
    bool exists;
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec modified;
};
struct file_version file_version_of(const char *path); // "" = no file
bool file_version_is_same(const struct file_version *left, const struct file_version *right);
