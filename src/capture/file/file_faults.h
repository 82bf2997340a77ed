// The inputs of a run that could not be read whole: each told of when it is met if there are several, all
// summed up at the end. Owned by file_source; the source thread.
#pragma once

#include "base/error.h"

struct file_faults {
    unsigned inputs; // of the run
    unsigned count;
    const char *first;  // path of the first bad one; borrowed
    struct error error; // of it; the code is the worst of all: unreadable outranks truncated
};

void file_faults_note(struct file_faults *faults, const char *path, const struct error *error);
// ERROR_NONE, or the code and its sentence: what is wrong with the one input, of several only how many are bad.
enum error_kind file_faults_verdict(const struct file_faults *faults, struct error *error);
