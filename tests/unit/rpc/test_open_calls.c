#include "rpc/open_calls.h"

#include <criterion/criterion.h>

enum { CALLS = IDLE_CALLS + 8 };

static struct open_call *given_up[CALLS];
static unsigned given_up_count;

static void give_up(struct open_call *call)
{
    given_up[given_up_count++] = call;
}

static void begin(struct open_calls *calls, uint64_t most_unread_bytes)
{
    given_up_count = 0;
    open_calls_init(calls, most_unread_bytes, give_up);
}

static void end(struct open_calls *calls, struct open_call *rows, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        open_calls_remove(calls, &rows[i]);
    open_calls_done(calls);
}

Test(open_calls, the_oldest_that_nobody_works_on_give_way)
{
    static struct open_call rows[CALLS];
    struct open_calls calls;
    begin(&calls, 0);
    for (unsigned i = 0; i < IDLE_CALLS; i++)
        open_calls_add(&calls, &rows[i]);
    cr_expect_eq(given_up_count, 0);
    open_calls_work(&calls, &rows[0]);
    open_calls_add(&calls, &rows[IDLE_CALLS]);
    open_calls_add(&calls, &rows[IDLE_CALLS + 1]);
    cr_assert_eq(given_up_count, 1);
    cr_expect_eq(given_up[0], &rows[1]);
    open_calls_let_go(&calls, &rows[0], 0);
    cr_assert_eq(given_up_count, 2);
    cr_expect_eq(given_up[1], &rows[0]);
    cr_expect_eq(open_calls_given_up(&calls), 2);
    end(&calls, rows, IDLE_CALLS + 2);
}

Test(open_calls, what_waits_to_be_read_is_bounded_and_the_oldest_answers_give_way)
{
    static struct open_call rows[4];
    struct open_calls calls;
    begin(&calls, 1000);
    for (unsigned i = 0; i < 4; i++)
        open_calls_add(&calls, &rows[i]);
    for (unsigned i = 1; i < 4; i++)
        open_calls_work(&calls, &rows[i]);
    open_calls_let_go(&calls, &rows[1], 500);
    open_calls_let_go(&calls, &rows[2], 500);
    cr_expect_eq(given_up_count, 0);
    open_calls_let_go(&calls, &rows[3], 100);
    cr_assert_eq(given_up_count, 1, "not the one that has no answer");
    cr_expect_eq(given_up[0], &rows[1]);
    end(&calls, rows, 4);
}

Test(open_calls, an_answer_of_who_was_given_up_is_not_counted)
{
    static struct open_call rows[2];
    struct open_calls calls;
    begin(&calls, 1000);
    open_calls_add(&calls, &rows[0]);
    open_calls_add(&calls, &rows[1]);
    open_calls_work(&calls, &rows[0]);
    open_calls_let_go(&calls, &rows[0], 2000);
    cr_assert_eq(given_up_count, 1, "not even alone");
    open_calls_work(&calls, &rows[0]);
    open_calls_let_go(&calls, &rows[0], 2000);
    cr_expect_eq(given_up_count, 1);
    cr_expect_eq(calls.unread_bytes, 0);
    cr_expect_eq(calls.idle, 1);
    end(&calls, rows, 2);
}
