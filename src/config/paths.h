// Where paths of the settings lead, compared by what they are (device and inode, the target of links) and not by
// how they are spelled. Looks at the file system and opens nothing. Any thread.
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

struct place {
    bool exists;
    struct stat file; // when it exists
    bool has_directory;
    struct stat directory;   // that holds it, or would
    char name[NAME_MAX + 1]; // in there
};

// Links are followed, to a file that is not there as well. The path "-" is the descriptor `standard`.
struct place place_of(const char *path, int standard);
// The link itself, if it is one: what a name is put beside.
struct place place_as_spelled(const char *path);

// Whether writing to both would mix them: one file, one pipe, one terminal, or a name for a file to come.
// Devices that keep nothing (/dev/null) mix nothing.
bool place_is_same(const struct place *left, const struct place *right);
// Whether what is written to `output` could be read from `input`: of what exists, a file or a named pipe.
bool place_is_read_back(const struct place *input, const struct place *output);
bool place_is_directory_of(const struct place *directory, const struct place *place);
// Whether both lie, or would lie, in one directory.
bool place_is_beside(const struct place *left, const struct place *right);

// Whether the path leads to what standard output is: "-", /dev/stdout, the file it was redirected to.
bool path_is_standard_output(const char *path);
