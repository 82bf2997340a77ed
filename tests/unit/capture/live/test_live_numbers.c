#include "capture/live/live_numbers.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { SECOND = 1000000000 };

static struct live_numbers numbers;

static uint16_t take(const char *name, const char *word, int64_t now_ns)
{
    struct source_interface wanted = {.link_type = 1, .snaplen = 100};
    struct error error;
    uint16_t number;
    snprintf(wanted.name, sizeof wanted.name, "%s", name);
    snprintf(wanted.configured, sizeof wanted.configured, "%s", word);
    cr_assert(live_numbers_take(&numbers, &wanted, now_ns, &number, &error), "%s", error.text);
    return number;
}

static const struct source_interface *shown(uint16_t number)
{
    return &interface_list_row(&numbers.rows, number)->shown;
}

Test(live_numbers, a_name_is_its_word_and_a_glob_has_a_number_of_its_own)
{
    live_numbers_init(&numbers);
    cr_expect_eq(take("eth0", "eth0", 1), 0);
    cr_expect_eq(shown(0)->word, 0);
    cr_expect_eq(take("pod1", "pod*", 1), 2);
    cr_expect_str_eq(shown(1)->name, "pod*");
    cr_expect_eq(shown(2)->word, 1);
    cr_expect_eq(take("pod2", "pod*", 1), 3);
    cr_expect_eq(take("pod1", "pod*", 1), 2, "the same again");
    live_numbers_done(&numbers);
}

Test(live_numbers, are_used_again_late_and_the_longest_gone_first)
{
    char name[32];
    live_numbers_init(&numbers);
    numbers.rest_ns = 10LL * SECOND;
    unsigned most = SOURCE_INTERFACES_MAX - LIVE_WORDS_MAX;
    for (unsigned i = 0; i < most; i++) {
        snprintf(name, sizeof name, "pod%u", i);
        cr_assert_eq(take(name, "pod*", 1), i + 1);
        live_numbers_leave(&numbers, (uint16_t)(i + 1), (i + 1) * (int64_t)SECOND);
    }
    int64_t late_ns = (most + 100) * (int64_t)SECOND;
    cr_expect_eq(take("pod3", "pod*", late_ns), 4, "it came back: its own");
    const struct source_interface *before = shown(1);
    cr_expect_eq(take("new0", "pod*", late_ns), 1, "the first that left");
    cr_expect_str_eq(shown(1)->name, "new0");
    cr_expect_str_eq(before->name, "pod0", "who still reads the row before may go on");
    cr_expect_eq(take("new1", "pod*", late_ns), 2);
    cr_expect_eq(take("new2", "pod*", late_ns), 3);
    cr_expect_eq(take("new3", "pod*", late_ns), 5, "number 4 is in use");
    live_numbers_done(&numbers);
}

Test(live_numbers, none_that_rests_is_given_out)
{
    char name[32];
    live_numbers_init(&numbers);
    unsigned most = SOURCE_INTERFACES_MAX - LIVE_WORDS_MAX;
    for (unsigned i = 0; i < most; i++) {
        snprintf(name, sizeof name, "pod%u", i);
        uint16_t number = take(name, "pod*", 1);
        live_numbers_leave(&numbers, number, SECOND);
    }
    cr_expect_eq(take("new0", "pod*", 60LL * SECOND), 0, "its word stands for it");
    live_numbers_leave(&numbers, 0, 60LL * SECOND);
    cr_expect_eq(take("eth0", "eth0", 60LL * SECOND), interface_list_count(&numbers.rows) - 1,
                 "words have room");
    cr_expect_eq(take("new1", "pod*", 3602LL * SECOND), 1);
    live_numbers_done(&numbers);
}

Test(live_numbers, words_beyond_the_bound_share_one)
{
    char name[32];
    live_numbers_init(&numbers);
    for (unsigned i = 0; i < LIVE_WORDS_MAX - 1; i++) {
        snprintf(name, sizeof name, "eth%u", i);
        cr_assert_eq(take(name, name, 1), i);
    }
    uint16_t first = take("more0", "more0", 1), second = take("more1", "mor*", 1);
    cr_expect_neq(first, second);
    cr_expect_str_eq(shown(first)->name, "more0");
    cr_expect_str_eq(shown(second)->name, "more1");
    cr_expect_str_eq(shown(first)->configured, "(other)");
    cr_expect_eq(shown(first)->word, LIVE_WORDS_MAX - 1);
    cr_expect_eq(shown(second)->word, LIVE_WORDS_MAX - 1);
    cr_expect_str_eq(shown(LIVE_WORDS_MAX - 1)->name, "(other)");
    live_numbers_leave(&numbers, first, SECOND);
    cr_expect_eq(take("more0", "more0", 2), first, "the same again");
    cr_expect_eq(take("eth5", "eth5", 2), 5, "those that have a word keep it");
    for (unsigned i = 0; i < 2 * SOURCE_INTERFACES_MAX; i++) {
        snprintf(name, sizeof name, "next%u", i);
        live_numbers_leave(&numbers, take(name, name, 3 + i), 3 + i);
    }
    cr_expect_leq(interface_list_count(&numbers.rows), SOURCE_INTERFACES_MAX);
    live_numbers_done(&numbers);
}
