// A file that is written aside, ".flows.json.partial" beside flows.json, and takes its place in one step once it is
// whole: whoever reads the path never sees half of it. Links are followed; mode and owner stay. One owner, one thread.
#pragma once

#include <stdbool.h>

struct aside {
    char *target;  // what the path leads to; NULL = nothing is written aside
    char *partial; // beside it
    int target_fd; // open for writing, and kept for a target that cannot be replaced
};

// What is to be written in place of the file at `path`, which is open as `target_fd`, taken over on success. -1 with
// errno when nothing can be made beside it.
int aside_open(struct aside *aside, const char *path, int target_fd);

// What was written goes into place: by its name, or as a copy where that cannot be (a mount point). `fd` is what
// aside_open() returned and is closed. False with errno; then it stays aside.
bool aside_place(struct aside *aside, int fd);
