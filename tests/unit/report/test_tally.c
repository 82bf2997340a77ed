#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/tally.h"

static void count(struct tally *tally, const char *key, uint64_t weight)
{
    struct tally_row *row = tally_at(tally, key, strlen(key));
    cr_assert_not_null(row);
    row->weight += weight;
}

Test(report_tally, counts_by_key_and_sorts_by_weight_then_key)
{
    struct tally tally;
    tally_init(&tally, 100);
    count(&tally, "b", 2);
    count(&tally, "a", 2);
    count(&tally, "c", 1);
    count(&tally, "c", 4);
    count(&tally, "ab", 2);
    cr_assert_eq(tally_sort(&tally, 100), 4);
    cr_assert_eq(tally.count, 4);
    const char *expected[] = {"c", "a", "ab", "b"};
    for (unsigned i = 0; i < 4; i++)
        cr_expect_str_eq((const char *)tally.places[i]->key, expected[i]);
    cr_expect_eq(tally.places[0]->weight, 5);
    cr_expect_eq(tally.given_up, 0);
    tally_done(&tally);
}

Test(report_tally, gives_up_the_smaller_half_when_full)
{
    struct tally tally;
    tally_init(&tally, 100);
    for (unsigned i = 0; i < 101; i++) {
        char key[16];
        snprintf(key, sizeof key, "%03u", i);
        count(&tally, key, 1000 - i);
    }
    cr_expect_eq(tally.given_up, 50);
    cr_expect_eq(tally.count, 51);
    count(&tally, "000", 1); // a heavy row is still there
    cr_expect_eq(tally_sort(&tally, 7), 7);
    cr_expect_eq(tally.places[0]->weight, 1001);
    cr_expect_str_eq((const char *)tally.places[49]->key, "049");
    cr_expect_str_eq((const char *)tally.places[50]->key, "100");
    tally_done(&tally);
}

Test(report_tally, keeps_the_first_label)
{
    struct tally tally;
    tally_init(&tally, 8);
    struct tally_row *row = tally_at(&tally, "k", 1);
    tally_label(row, NULL);
    tally_label(row, "");
    cr_expect_null(row->label);
    tally_label(row, "first");
    tally_label(row, "second");
    cr_expect_str_eq(row->label, "first");
    tally_done(&tally);
}

struct shown {
    const char *key;
    uint64_t weight;
};

static void fill_shown(void *element, const struct tally_row *row)
{
    *(struct shown *)element = (struct shown){(const char *)row->key, row->weight};
}

Test(report_tally, lists_the_heaviest)
{
    struct tally tally;
    tally_init(&tally, 8);
    unsigned listed = 7;
    struct shown *list = tally_list(&tally, 2, fill_shown, sizeof *list, &listed);
    cr_expect(list != NULL && listed == 0, "an empty list is one");
    free(list);
    count(&tally, "light", 1);
    count(&tally, "heavy", 3);
    count(&tally, "middle", 2);
    list = tally_list(&tally, 2, fill_shown, sizeof *list, &listed);
    cr_assert_eq(listed, 2);
    cr_expect_str_eq(list[0].key, "heavy");
    cr_expect(strcmp(list[1].key, "middle") == 0 && list[1].weight == 2);
    free(list);
    tally_done(&tally);
}
