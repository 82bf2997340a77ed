#include <criterion/criterion.h>

#include "rpc/waiting.h"

static struct waiting_calls calls;
static struct waiting_call call[WAITING_CALLS + 2];

static void begin(void)
{
    calls = (struct waiting_calls){0};
    for (unsigned i = 0; i < WAITING_CALLS + 2; i++)
        call[i] = (struct waiting_call){0};
}

TestSuite(waiting, .init = begin);

Test(waiting, gives_up_the_one_that_has_waited_longest)
{
    for (unsigned i = 0; i < WAITING_CALLS; i++)
        cr_assert_null(waiting_add(&calls, &call[i]));
    waiting_remove(&calls, &call[0]);
    cr_expect_null(waiting_add(&calls, &call[WAITING_CALLS]), "there was a place");
    cr_expect_eq(waiting_add(&calls, &call[WAITING_CALLS + 1]), &call[1]);
    cr_expect_not(call[1].waits);
    cr_expect_eq(calls.count, WAITING_CALLS);
}

Test(waiting, takes_each_out_once_wherever_it_stands)
{
    static const unsigned orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}};
    for (unsigned order = 0; order < 4; order++) {
        for (unsigned i = 0; i < 3; i++)
            waiting_add(&calls, &call[i]);
        for (unsigned i = 0; i < 3; i++)
            for (unsigned again = 0; again < 2; again++) {
                waiting_remove(&calls, &call[orders[order][i]]);
                cr_expect_eq(calls.count, 2 - i);
            }
        cr_expect_null(calls.first);
        cr_expect_null(calls.last);
    }
}
