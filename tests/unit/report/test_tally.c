#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/tally.h"

static struct tally_row *row_of(struct tally *tally, const char *key)
{
    size_t length = strlen(key) + 1;
    struct tally_row *row = tally_at(tally, tally_hash(tally, key, length), key, length);
    cr_assert_not_null(row);
    return row;
}

static void count(struct tally *tally, const char *key, uint64_t weight)
{
    row_of(tally, key)->weight += weight;
}

static const char *key_of(const struct tally_row *row)
{
    size_t length;
    return (const char *)tally_key(row, &length);
}

Test(report_tally, counts_by_key_and_orders_by_weight_then_key)
{
    const char *expected[] = {"c", "a", "a key that is longer than its row", "ab", "b"};
    struct tally tally;
    tally_init(&tally, 100);
    count(&tally, "b", 2);
    count(&tally, "a", 2);
    count(&tally, "c", 1);
    count(&tally, "a key that is longer than its row", 1);
    count(&tally, "c", 4);
    count(&tally, "ab", 2);
    count(&tally, "a key that is longer than its row", 1);
    const struct tally_row *rows[6];
    cr_assert_eq(tally_heaviest(&tally, rows, 6), 5);
    for (unsigned i = 0; i < 5; i++)
        cr_expect_str_eq(key_of(rows[i]), expected[i]);
    cr_expect_eq(rows[0]->weight, 5);
    cr_expect_eq(tally.given_up, 0);
    cr_assert_eq(tally_heaviest(&tally, rows, 2), 2);
    cr_expect_str_eq(key_of(rows[1]), "a");
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
    const struct tally_row *rows[100];
    cr_assert_eq(tally_heaviest(&tally, rows, 100), 51);
    cr_expect_eq(rows[0]->weight, 1001);
    cr_expect_str_eq(key_of(rows[49]), "049");
    cr_expect_str_eq(key_of(rows[50]), "100");
    tally_done(&tally);
}

// Whatever the order of coming, and with weights that are nearly all equal: what stays is the first half by weight,
// then key.
Test(report_tally, gives_up_the_same_rows_in_any_order)
{
    enum { CAPACITY = 256 };
    for (unsigned seed = 0; seed < 50; seed++) {
        unsigned places[CAPACITY];
        for (unsigned i = 0; i < CAPACITY; i++)
            places[i] = i;
        srand(seed);
        for (unsigned i = CAPACITY - 1; i > 0; i--) {
            unsigned other = (unsigned)rand() % (i + 1), place = places[i];
            places[i] = places[other];
            places[other] = place;
        }
        struct tally tally;
        tally_init(&tally, CAPACITY);
        char key[16];
        for (unsigned i = 0; i < CAPACITY; i++) {
            snprintf(key, sizeof key, "%03u", places[i]);
            count(&tally, key, places[i] % 16 == 0 ? 2 : 1);
        }
        count(&tally, "new", 5);
        const struct tally_row *rows[CAPACITY];
        cr_assert_eq(tally_heaviest(&tally, rows, CAPACITY), CAPACITY / 2 + 1);
        cr_assert_str_eq(key_of(rows[0]), "new");
        cr_assert_str_eq(key_of(rows[16]), "240", "the last of the 16 heavy ones");
        cr_assert_str_eq(key_of(rows[17]), "001");
        cr_assert_str_eq(key_of(rows[CAPACITY / 2]), "119", "of 112 light ones without every sixteenth");
        tally_done(&tally);
    }
}

Test(report_tally, keeps_the_first_label_as_long_as_its_row)
{
    struct tally tally;
    tally_init(&tally, 8);
    struct tally_row *row = row_of(&tally, "k");
    tally_label(&tally, row, "");
    cr_expect_null(tally_label_of(&tally, row));
    tally_label(&tally, row, "first");
    tally_label(&tally, row, "second");
    row->weight = 100;
    for (unsigned i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%03u", i);
        tally_label(&tally, row_of(&tally, key), key);
    }
    cr_expect_str_eq(tally_label_of(&tally, row_of(&tally, "k")), "first");
    cr_expect_str_eq(tally_label_of(&tally, row_of(&tally, "999")), "999");
    cr_expect_leq(tally.label_count, 2 * tally.capacity);
    tally_done(&tally);
}

// Keys that share their first words, lie apart from their rows or are the beginning of another one, all of one weight.
static unsigned make_alike(unsigned number, uint8_t key[64])
{
    memset(key, 6, 64);
    key[17] = (uint8_t)(number >> 4);
    unsigned length = 18 + number % 16 * 2;
    memset(key + 18, 0, length - 18);
    return length;
}

Test(report_tally, gives_up_by_all_of_a_key)
{
    enum { CAPACITY = 512 };
    for (unsigned step = 1; step < 200; step += 14) { // odd: every number comes once
        struct tally tally;
        tally_init(&tally, CAPACITY);
        uint8_t key[64];
        for (unsigned i = 0; i < CAPACITY; i++) {
            unsigned length = make_alike(i * step % CAPACITY, key);
            tally_at(&tally, tally_hash(&tally, key, length), key, length)->weight++;
        }
        row_of(&tally, "new")->weight = 2;
        const struct tally_row *rows[CAPACITY];
        cr_assert_eq(tally_heaviest(&tally, rows, CAPACITY), CAPACITY / 2 + 1);
        cr_assert_eq(tally.given_up, CAPACITY / 2);
        for (unsigned i = 0; i < CAPACITY / 2; i++) {
            size_t own_length;
            unsigned length = make_alike(i, key);
            const uint8_t *own = tally_key(rows[i + 1], &own_length);
            cr_assert(own_length == length && memcmp(own, key, length) == 0, "%u", i);
            cr_assert_eq(tally_at(&tally, tally_hash(&tally, key, length), key, length), rows[i + 1]);
        }
        tally_done(&tally);
    }
}
