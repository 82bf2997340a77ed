// Failures of start-up and configuration: one sentence that says what happened, why, and what to do.
// A function that can fail this way returns bool and takes `struct error *` last; the error is written
// only on failure. Owned by the caller, usually on its stack. Any thread; no allocation.
// (Malformed packets are not errors: they are enum values that are counted. Bugs are asserts.)
#pragma once

#include <stdbool.h>

// Exit codes of the process; an error carries the one that it leads to.
enum exit_code {
    EXIT_DONE = 0,
    EXIT_ALERTS = 1,     // a file raised alerts and --fail-on-alert was given
    EXIT_USAGE = 2,      // usage or configuration
    EXIT_UNREADABLE = 3, // an input is no capture or cannot be read
    EXIT_TRUNCATED = 4,  // an input ends in the middle; the results up to there are written
    EXIT_LEDGER = 5,     // packets or records do not add up: a bug
    EXIT_NO_PERMISSION = 6,
    EXIT_NO_INTERFACE = 7,
    EXIT_OUTPUT = 8, // an output is incomplete
    EXIT_CANNOT_LISTEN = 9,
};

enum { ERROR_TEXT_BYTES = 768 };

struct error {
    enum exit_code code;
    char text[ERROR_TEXT_BYTES]; // always terminated; a longer sentence is cut
};

// Writes code and sentence; returns false always, so that `return error_set(...)` reads well.
bool error_set(struct error *error, enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Puts "prefix: " in front of the sentence that is there; returns false always.
bool error_prefix(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
