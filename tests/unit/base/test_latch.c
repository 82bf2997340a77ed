#include "base/latch.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

enum { OTHERS = 4, ROUNDS = 2000 };

static struct latch latches[ROUNDS];
static int arrived[ROUNDS]; // written by whoever came last

static void *arrive_at_all(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (!latch_arrive(&latches[i]))
            continue;
        arrived[i]++;
        latch_open(&latches[i]);
    }
    return NULL;
}

Test(latch, opens_once_when_all_have_arrived, .timeout = 60)
{
    pthread_t threads[OTHERS];
    for (unsigned i = 0; i < ROUNDS; i++)
        latch_close(&latches[i], OTHERS);
    for (unsigned i = 0; i < OTHERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, arrive_at_all, NULL), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        cr_assert(latch_wait(&latches[i], -1));
        cr_assert_eq(arrived[i], 1, "round %u", i);
    }
    for (unsigned i = 0; i < OTHERS; i++)
        pthread_join(threads[i], NULL);
}

Test(latch, is_open_until_it_is_closed_and_then_not)
{
    struct latch latch = {0};
    cr_expect(latch_is_open(&latch) && latch_wait(&latch, 0));
    latch_close(&latch, 2);
    cr_expect_not(latch_is_open(&latch));
    cr_expect_not(latch_wait(&latch, 1));
    cr_expect_not(latch_arrive(&latch));
    cr_expect(latch_arrive(&latch), "the last");
    cr_expect_not(latch_is_open(&latch), "until the last has opened it");
    latch_open(&latch);
    cr_expect(latch_wait(&latch, -1));
}

Test(latch, one_arrival_too_many_is_a_bug, .signal = SIGABRT)
{
    struct latch latch = {0};
    latch_close(&latch, 1);
    latch_arrive(&latch);
    latch_arrive(&latch);
}
