// Exit codes of the process (reference, section 8 of the design): derived from the kind of an error and from what the
// process was doing when it came. Pure.
#pragma once

#include "base/error.h"

enum exit_code {
    EXIT_DONE = 0,
    EXIT_ALERTS = 1,     // alerts were raised, nothing worse happened, and --fail-on-alert was given
    EXIT_USAGE = 2,      // usage or configuration
    EXIT_UNREADABLE = 3, // an input is no capture or cannot be read
    EXIT_TRUNCATED = 4,  // an input ends in the middle; the results up to there are written
    EXIT_LEDGER = 5,     // packets or records do not add up: a bug
    EXIT_NO_PERMISSION = 6,
    EXIT_NO_INTERFACE = 7,
    EXIT_OUTPUT = 8, // an output is incomplete
    EXIT_CANNOT_LISTEN = 9,
};

enum exit_stage {
    STAGE_SETTINGS, // reading and checking them
    STAGE_LIVE,     // capturing on interfaces
    STAGE_FILES,    // reading capture files
    STAGE_OUTPUT,   // writing what was asked for
    STAGE_LISTEN,   // making ready to listen
    EXIT_STAGES,
};

enum exit_code exit_code_of(enum error_kind kind, enum exit_stage stage);
