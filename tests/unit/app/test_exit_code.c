#include "app/exit_code.h"

#include <criterion/criterion.h>

Test(exit_code, says_nothing_of_no_error)
{
    for (enum exit_stage stage = 0; stage < EXIT_STAGES; stage++)
        cr_expect_eq(exit_code_of(ERROR_NONE, stage), EXIT_DONE);
}

Test(exit_code, every_kind_of_error_fails_in_every_stage)
{
    for (enum exit_stage stage = 0; stage < EXIT_STAGES; stage++)
        for (enum error_kind kind = ERROR_NONE + 1; kind < ERROR_KINDS; kind++)
            cr_expect_neq(exit_code_of(kind, stage), EXIT_DONE, "kind %d, stage %d", kind, stage);
}

Test(exit_code, depends_on_what_was_being_done)
{
    cr_expect_eq(exit_code_of(ERROR_NOT_FOUND, STAGE_LIVE), EXIT_NO_INTERFACE);
    cr_expect_eq(exit_code_of(ERROR_NOT_FOUND, STAGE_FILES), EXIT_UNREADABLE);
    cr_expect_eq(exit_code_of(ERROR_NOT_FOUND, STAGE_SETTINGS), EXIT_USAGE);
    cr_expect_eq(exit_code_of(ERROR_PERMISSION, STAGE_LIVE), EXIT_NO_PERMISSION);
    cr_expect_eq(exit_code_of(ERROR_PERMISSION, STAGE_OUTPUT), EXIT_OUTPUT);
    cr_expect_eq(exit_code_of(ERROR_DATA_LOSS, STAGE_FILES), EXIT_TRUNCATED);
    cr_expect_eq(exit_code_of(ERROR_DATA_LOSS, STAGE_OUTPUT), EXIT_OUTPUT);
    cr_expect_eq(exit_code_of(ERROR_INVALID_ARGUMENT, STAGE_OUTPUT), EXIT_USAGE);
    cr_expect_eq(exit_code_of(ERROR_UNAVAILABLE, STAGE_LISTEN), EXIT_CANNOT_LISTEN);
    cr_expect_eq(exit_code_of(ERROR_INTERNAL, STAGE_LIVE), EXIT_LEDGER);
}
