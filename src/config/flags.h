// The command line. Two passes over the same words: flags_command() finds what is asked for and the
// settings file, flags_read() puts the settings. argv is permuted, not kept. Main thread (getopt).
#pragma once

#include "config/loading.h"

enum flag_action {
    FLAG_SET, // a row of the settings table
    FLAG_CONFIG,
    FLAG_CHECK,
    FLAG_PRINT,
    FLAG_LIST_INTERFACES,
    FLAG_VERBOSE,
    FLAG_QUIET,
    FLAG_VERSION,
    FLAG_HELP,
    FLAG_SYNTHETIC_FLOWS,
    FLAG_PRINT_DOCS,
    FLAG_PRINT_EXAMPLE,
    FLAG_PRINT_MANUAL,
    FLAG_PRINT_COMPLETION,
    FLAG_PRINT_SCHEMA,
};

// Flags that are no settings.
struct flag_row {
    const char *name;
    char letter;
    enum flag_action action;
    const char *argument; // NULL = takes none
    bool hidden;
    const char *help;
};

extern const struct flag_row flag_table[];
extern const unsigned flag_count;

bool flags_command(int argc, char **argv, struct config_invocation *what, struct error *error);
bool flags_read(int argc, char **argv, struct loading *loading, struct error *error);
