// The commands of netscopectl and their options: tables, from which parsing, help and completion are derived. Frozen.
#pragma once

#include <stdbool.h>

enum { COMMAND_OPTION_GROUPS = 6 };

// Exit codes; `--help` and docs/netscopectl.md tell them.
enum ctl_exit {
    CTL_DONE = 0,
    CTL_REFUSED = 1,     // the sensor said no
    CTL_USAGE = 2,       // the command line, the environment, a file that they name
    CTL_UNREACHABLE = 3, // no sensor could be reached
    CTL_PARTLY = 4, // of several sensors some could not be reached or said no; what the others said is shown
    CTL_OUTPUT = 5, // the output could not be written
};

struct option_row {
    const char *name;
    char letter;          // 0 = none
    const char *argument; // "FILE"; NULL: a switch
    const char *help;
    const char *const *words; // all that it takes, ended by NULL; NULL = anything
    int hint;                 // enum HintField of the API: what values the sensor knows; 0 = none
    const char *also;         // another name of it, not told; NULL = none
};

// Some options of one kind: a heading of the help.
struct option_group {
    const char *title;
    const struct option_row *rows; // ended by a row without a name
    bool filters;                  // --not may stand before each
};

struct invocation;

struct command {
    const char *name;      // one word, or two ("config apply")
    const char *arguments; // as the help shows them: "KEY=VALUE..."
    unsigned least, most;  // of them
    const char *summary;
    const char *details; // further lines of the help; NULL = none
    const struct option_group *groups[COMMAND_OPTION_GROUPS];
    enum ctl_exit (*run)(const struct invocation *given);
    bool hidden;
};

extern const struct command command_table[];
extern const unsigned command_count;

// The command that the first words name; *words is how many that were. NULL: none.
const struct command *command_find(char *const words[], int count, int *used);
// The name of the command that may have been meant; NULL = none is near.
const char *command_nearest(const char *word);
// The option of a command by its name or its letter; NULL = it has none such.
const struct option_row *command_option(const struct command *command, const char *name, char letter,
                                        bool *filters);
const char *command_nearest_option(const struct command *command, const char *name);
