#include "base/mailbox.h"
#include "base/message.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>

static struct message things[MAILBOX_MESSAGES + 1];

static void open_new(struct mailbox *mailbox)
{
    mailbox_init(mailbox);
    mailbox_open(mailbox);
}

Test(mailbox, is_closed_at_first)
{
    struct mailbox mailbox;
    mailbox_init(&mailbox);
    cr_expect_eq(mailbox_post(&mailbox, &things[0]), MAILBOX_CLOSED);
    cr_expect(mailbox_is_empty(&mailbox));
    cr_expect_null(mailbox_take(&mailbox));
    mailbox_open(&mailbox);
    cr_expect_eq(mailbox_post(&mailbox, &things[0]), MAILBOX_POSTED);
    cr_expect_not(mailbox_is_empty(&mailbox));
    mailbox_done(&mailbox);
}

Test(mailbox, gives_in_order_across_its_end)
{
    struct mailbox mailbox;
    open_new(&mailbox);
    for (unsigned round = 0; round < 3 * MAILBOX_MESSAGES; round++) {
        unsigned held = 1 + round % MAILBOX_MESSAGES;
        for (unsigned i = 0; i < held; i++)
            cr_assert_eq(mailbox_post(&mailbox, &things[i]), MAILBOX_POSTED);
        for (unsigned i = 0; i < held; i++)
            cr_assert_eq(mailbox_take(&mailbox), &things[i], "round %u, item %u", round, i);
        cr_assert_null(mailbox_take(&mailbox));
    }
    mailbox_done(&mailbox);
}

Test(mailbox, refuses_one_too_many_and_keeps_the_others)
{
    struct mailbox mailbox;
    open_new(&mailbox);
    for (unsigned i = 0; i < MAILBOX_MESSAGES; i++)
        cr_assert_eq(mailbox_post(&mailbox, &things[i]), MAILBOX_POSTED);
    cr_expect_eq(mailbox_post(&mailbox, &things[MAILBOX_MESSAGES]), MAILBOX_FULL);
    cr_expect_eq(mailbox_take(&mailbox), &things[0]);
    cr_expect_eq(mailbox_post(&mailbox, &things[MAILBOX_MESSAGES]), MAILBOX_POSTED, "there is room again");
    for (unsigned i = 1; i <= MAILBOX_MESSAGES; i++)
        cr_expect_eq(mailbox_take(&mailbox), &things[i]);
    cr_expect(mailbox_is_empty(&mailbox));
    mailbox_done(&mailbox);
}

Test(mailbox, gives_what_it_holds_after_the_close)
{
    struct mailbox mailbox;
    open_new(&mailbox);
    mailbox_post(&mailbox, &things[0]);
    mailbox_post(&mailbox, &things[1]);
    mailbox_close(&mailbox);
    cr_expect_eq(mailbox_post(&mailbox, &things[2]), MAILBOX_CLOSED);
    cr_expect_eq(mailbox_take(&mailbox), &things[0]);
    cr_expect_eq(mailbox_take(&mailbox), &things[1]);
    cr_expect_null(mailbox_take(&mailbox));
    mailbox_open(&mailbox);
    cr_expect_eq(mailbox_post(&mailbox, &things[2]), MAILBOX_POSTED, "opened a second time");
    mailbox_done(&mailbox);
}

Test(mailbox, says_closed_rather_than_full)
{
    struct mailbox mailbox;
    open_new(&mailbox);
    for (unsigned i = 0; i < MAILBOX_MESSAGES; i++)
        mailbox_post(&mailbox, &things[i]);
    mailbox_close(&mailbox);
    cr_expect_eq(mailbox_post(&mailbox, &things[0]), MAILBOX_CLOSED);
    mailbox_done(&mailbox);
}

enum { POSTERS = 4, LETTERS = 5000 };

struct letter {
    struct message message; // first
    unsigned poster, number;
};

struct poster {
    struct mailbox *mailbox;
    struct letter letters[LETTERS];
    unsigned refused; // after the close
};

static struct poster posters[POSTERS];

static void *post_all(void *argument)
{
    struct poster *poster = argument;
    for (unsigned i = 0; i < LETTERS; i++) {
        enum mailbox_result result;
        while ((result = mailbox_post(poster->mailbox, &poster->letters[i].message)) == MAILBOX_FULL)
            sched_yield();
        poster->refused += result == MAILBOX_CLOSED;
    }
    return NULL;
}

static void start_posters(struct mailbox *mailbox, pthread_t threads[POSTERS])
{
    for (unsigned p = 0; p < POSTERS; p++) {
        posters[p].mailbox = mailbox;
        for (unsigned i = 0; i < LETTERS; i++)
            posters[p].letters[i] = (struct letter){.poster = p, .number = i};
        cr_assert_eq(pthread_create(&threads[p], NULL, post_all, &posters[p]), 0);
    }
}

// Takes one and holds it against the last of its poster; false when there was none.
static bool take_next(struct mailbox *mailbox, unsigned taken[POSTERS])
{
    const struct letter *letter = (const struct letter *)mailbox_take(mailbox);
    if (letter == NULL)
        return false;
    cr_assert_eq(letter->number, taken[letter->poster], "of poster %u", letter->poster);
    taken[letter->poster]++;
    return true;
}

Test(mailbox, loses_nothing_of_many_posters, .timeout = 60)
{
    struct mailbox mailbox;
    open_new(&mailbox);
    pthread_t threads[POSTERS];
    start_posters(&mailbox, threads);
    unsigned taken[POSTERS] = {0}, all = 0;
    while (all < POSTERS * LETTERS) {
        if (take_next(&mailbox, taken))
            all++;
        else
            sched_yield();
    }
    for (unsigned p = 0; p < POSTERS; p++) {
        pthread_join(threads[p], NULL);
        cr_expect_eq(taken[p], LETTERS);
        cr_expect_eq(posters[p].refused, 0);
    }
    cr_expect_null(mailbox_take(&mailbox));
    mailbox_done(&mailbox);
}

// Whatever the moment of the close: each letter was either taken or refused.
Test(mailbox, loses_nothing_at_the_close, .timeout = 60)
{
    struct mailbox mailbox;
    open_new(&mailbox);
    pthread_t threads[POSTERS];
    start_posters(&mailbox, threads);
    unsigned taken[POSTERS] = {0}, all = 0;
    while (all < LETTERS)
        all += take_next(&mailbox, taken);
    mailbox_close(&mailbox);
    while (take_next(&mailbox, taken))
        ;
    for (unsigned p = 0; p < POSTERS; p++) {
        pthread_join(threads[p], NULL);
        cr_expect_eq(taken[p] + posters[p].refused, LETTERS, "poster %u", p);
    }
    cr_expect_null(mailbox_take(&mailbox), "nothing comes after the close");
    mailbox_done(&mailbox);
}
