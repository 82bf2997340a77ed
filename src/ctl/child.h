// Programs that are run: kubectl. Started without forking (gRPC's threads run by then), in a process group of their own, so
// that a terminal's interrupt ends them by our hand and not before.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct strbuf;

struct child {
    pid_t process;  // 0 = none
    int complaints; // a file in memory that holds its standard error
};

// The program's standard input and output are the other end of *take_socket, which is the caller's. False with a sentence.
bool child_start(struct child *child, const char *const arguments[], int *take_socket, struct error *error);
// Ends it if it still runs; waits for it. Takes a zeroed one.
void child_end(struct child *child);
// The last line of what it complained of, without a newline; nothing if it did not.
void child_add_complaint(const struct child *child, struct strbuf *into);

// Runs to the end; its standard output is added. False with a sentence: it could not be started, or failed.
bool child_run(const char *const arguments[], struct strbuf *output, struct error *error);
