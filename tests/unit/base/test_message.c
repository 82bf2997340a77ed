#include "base/message.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

enum { RECEIVERS = 4, KIND = 7 };

static atomic_uint destroyed, passed_on;

static void destroy(struct message *message)
{
    atomic_fetch_add(&destroyed, 1);
    free(message);
}

static void pass_on(struct message *message)
{
    atomic_fetch_add(&passed_on, 1);
    message_finish(message);
}

static const struct message_ops plain = {.destroy = destroy};
static const struct message_ops two_stages = {.complete = pass_on, .destroy = destroy};

static struct message *make(const struct message_ops *ops, unsigned receivers, int64_t deadline_ns)
{
    struct message *message = malloc(sizeof *message);
    message_init(message, KIND, ops, receivers, deadline_ns);
    return message;
}

Test(message, is_finished_by_the_last_receiver)
{
    struct message *message = make(&plain, 2, INT64_MAX);
    cr_expect_eq(message->kind, KIND);
    message_arrive(message);
    cr_expect_not(message_is_finished(message));
    cr_expect_not(message_wait(message, 1));
    message_arrive(message);
    cr_expect(message_wait(message, MESSAGE_FOR_EVER));
    cr_expect_eq(destroyed, 0, "the asker holds it still");
    message_release(message);
    cr_expect_eq(destroyed, 1);
}

Test(message, goes_on_to_whoever_completes_it)
{
    struct message *message = make(&two_stages, 1, INT64_MAX);
    message_arrive(message);
    cr_expect_eq(passed_on, 1);
    cr_expect(message_is_finished(message));
    message_release(message);
    cr_expect_eq(destroyed, 1);
}

Test(message, is_wanted_until_its_deadline_or_a_cancel)
{
    struct message *message = make(&plain, 1, 100);
    cr_expect(message_is_wanted(message, 99));
    cr_expect_not(message_is_wanted(message, 100));
    message_cancel(message);
    cr_expect_not(message_is_wanted(message, 0));
    cr_expect_eq(destroyed, 0, "it is still on its way");
    message_arrive(message);
    cr_expect_eq(destroyed, 1, "nobody waits for it");
}

static void *arrive(void *message)
{
    message_arrive(message);
    return NULL;
}

// Whoever comes last, asker or receivers: it is freed once, by the last.
Test(message, survives_any_order_of_leaving, .timeout = 60)
{
    enum { ROUNDS = 2000 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct message *message = make(&two_stages, RECEIVERS, INT64_MAX);
        pthread_t threads[RECEIVERS];
        for (unsigned i = 0; i < RECEIVERS; i++)
            cr_assert_eq(pthread_create(&threads[i], NULL, arrive, message), 0);
        if (round % 2 == 0) {
            cr_expect(message_wait(message, MESSAGE_FOR_EVER));
            message_release(message);
        } else {
            message_cancel(message);
        }
        for (unsigned i = 0; i < RECEIVERS; i++)
            pthread_join(threads[i], NULL);
        cr_assert_eq(destroyed, round + 1);
    }
}
