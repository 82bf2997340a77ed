// Failures of start-up, configuration and requests: one sentence that says what happened, why, and what to do, and
// the kind of failure, which callers act on: the app derives exit codes from it, the API status codes.
// A function that can fail this way returns bool and takes `struct error *` last; the error is written
// only on failure. Owned by the caller, usually on its stack. Any thread; no allocation.
// (Malformed packets are not errors: they are enum values that are counted. Bugs are asserts.)
#pragma once

#include <stdbool.h>

// The kinds have the meaning of gRPC's canonical status codes of the same names.
enum error_kind {
    ERROR_NONE,
    ERROR_INVALID_ARGUMENT,    // what was asked for is wrong in itself
    ERROR_NOT_FOUND,           // an interface, a file, a flow that is not there
    ERROR_PERMISSION,          // it is there, but not for us
    ERROR_FAILED_PRECONDITION, // right in itself, but not in the present state
    ERROR_EXHAUSTED,           // memory, threads, places in a bounded table
    ERROR_UNAVAILABLE,         // cannot be read, written or opened now
    ERROR_CANCELLED,           // whoever asked does not want it any more
    ERROR_DEADLINE_EXCEEDED,   // it took longer than it was given
    ERROR_DATA_LOSS,           // an input ends in the middle, an output is incomplete
    ERROR_INTERNAL,            // a bug
    ERROR_KINDS,
};

enum { ERROR_TEXT_BYTES = 768 };

struct error {
    enum error_kind kind;
    char text[ERROR_TEXT_BYTES]; // always terminated; a longer sentence is cut
};

// Writes kind and sentence (ERROR_NONE: one that tells of no failure); returns false always, so that
// `return error_set(...)` reads well.
bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Puts "prefix: " in front of the sentence that is there; returns false always.
bool error_prefix(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The kind of a system call's failure: not found, permission, exhausted, else unavailable.
enum error_kind error_kind_of_errno(int number);
