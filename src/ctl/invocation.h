// A command line of netscopectl, taken apart: the command, its options in their order, its arguments. Borrows argv. Plain
// values of one owner.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "ctl/command.h"

enum { INVOCATION_OPTIONS = 256, INVOCATION_ARGUMENTS = 256 };

struct given_option {
    const struct option_row *row;
    const char *value; // NULL of a switch
    bool negated;      // behind --not
};

struct invocation {
    const struct command *command; // NULL: none was named
    bool help, version;
    struct given_option options[INVOCATION_OPTIONS];
    unsigned option_count;
    const char *arguments[INVOCATION_ARGUMENTS];
    unsigned argument_count;
};

// False with what is wrong: an option that there is not, a value that is missing, arguments too few or too many.
bool invocation_read(struct invocation *into, int argc, char *const argv[], struct error *error);

// Whether the command has such an option; the others here are asked only of those that it has.
bool given_knows(const struct invocation *given, const char *name);
// Of an option that was given several times, the last. Names are those of the tables.
bool given_is(const struct invocation *given, const char *name);
const char *given_text(const struct invocation *given, const char *name); // NULL: it was not given
// False with a sentence when the text is no such thing; without the option `absent`.
bool given_number(const struct invocation *given, const char *name, uint64_t most, uint64_t absent,
                  uint64_t *value, struct error *error);
bool given_span(const struct invocation *given, const char *name, int64_t absent_ns, int64_t *span_ns,
                struct error *error);

// Texts of command lines as values; false when they are none.
bool read_number(const char *text, uint64_t *value); // "1500", "20k", "1.5M": powers of 1000, B may follow
bool read_span(const char *text, int64_t *span_ns);  // "90s", "1h30m", "250ms", "2d"
