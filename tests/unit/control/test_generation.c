#include "control/generation.h"

#include "given.h"

Test(generation, lives_as_long_as_somebody_holds_it)
{
    struct outcome outcome = accepted(load("capture: {filter: tcp}\n", NULL, NULL));
    struct generation_board board;
    struct error error;
    generation_board_init(&board);
    generation_publish(&board, generation_create(&outcome.settings, 1, &error));
    outcome_done(&outcome);
    const struct generation *first = generation_hold(&board);
    outcome = accepted(load("capture: {filter: udp}\n", NULL, NULL));
    generation_publish(&board, generation_create(&outcome.settings, 2, &error));
    outcome_done(&outcome);
    const struct generation *second = generation_hold(&board);
    cr_expect_str_eq(first->settings.capture.filter, "tcp");
    cr_expect_str_eq(second->settings.capture.filter, "udp");
    cr_expect_eq(second->number, 2);
    generation_board_done(&board);
    cr_expect_str_eq(second->settings.capture.filter, "udp");
    generation_release(first);
    generation_release(second);
    generation_release(NULL);
}
