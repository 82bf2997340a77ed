#include "app/exit_code.h"

#include <assert.h>

// What a stage ends with; a kind that has a code of its own there stands in its row.
static const enum exit_code usual[EXIT_STAGES] = {
    [STAGE_SETTINGS] = EXIT_USAGE, [STAGE_LIVE] = EXIT_NO_INTERFACE,    [STAGE_FILES] = EXIT_UNREADABLE,
    [STAGE_OUTPUT] = EXIT_OUTPUT,  [STAGE_LISTEN] = EXIT_CANNOT_LISTEN,
};

static const enum exit_code own[EXIT_STAGES][ERROR_KINDS] = {
    [STAGE_LIVE] = {[ERROR_INVALID_ARGUMENT] = EXIT_USAGE,
                    [ERROR_FAILED_PRECONDITION] = EXIT_USAGE,
                    [ERROR_EXHAUSTED] = EXIT_USAGE,
                    [ERROR_PERMISSION] = EXIT_NO_PERMISSION,
                    [ERROR_INTERNAL] = EXIT_LEDGER},
    [STAGE_FILES] = {[ERROR_INVALID_ARGUMENT] = EXIT_USAGE,
                     [ERROR_FAILED_PRECONDITION] = EXIT_USAGE,
                     [ERROR_EXHAUSTED] = EXIT_USAGE,
                     [ERROR_DATA_LOSS] = EXIT_TRUNCATED,
                     [ERROR_INTERNAL] = EXIT_LEDGER},
    [STAGE_OUTPUT] = {[ERROR_INVALID_ARGUMENT] = EXIT_USAGE},
    [STAGE_LISTEN] = {[ERROR_INVALID_ARGUMENT] = EXIT_USAGE},
};

enum exit_code exit_code_of(enum error_kind kind, enum exit_stage stage)
{
    assert(kind < ERROR_KINDS && stage < EXIT_STAGES);
    if (kind == ERROR_NONE)
        return EXIT_DONE;
    return own[stage][kind] != EXIT_DONE ? own[stage][kind] : usual[stage];
}
