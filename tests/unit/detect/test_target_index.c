#include "detect/target_index.h"

#include <criterion/criterion.h>

#include "numbers.h"

enum { ROWS = 64, PLACES = 128 };

// Rows come and go; those that are there are found and no others. Few different places, so that they crowd.
Test(target_index, finds_what_is_there)
{
    uint16_t places[PLACES] = {0};
    uint64_t hashes[ROWS] = {0}, random = 3;
    bool there[ROWS] = {0};
    struct target_index index = {places, hashes, PLACES - 1};
    for (unsigned step = 0; step < 20000; step++) {
        unsigned row = (unsigned)(next_number(&random) % ROWS);
        if (there[row]) {
            target_index_remove(&index, row);
        } else {
            hashes[row] =
                (step + UINT64_C(1)) << 32 | next_number(&random) % (step % 2000 < 1000 ? 4 : PLACES);
            target_index_insert(&index, row);
        }
        there[row] = !there[row];
        for (unsigned i = 0; i < ROWS && step % 16 == 0; i++)
            cr_assert_eq(target_index_find(&index, hashes[i]), there[i] ? i : TARGET_INDEX_NONE);
    }
    for (unsigned row = 0; row < ROWS; row++)
        if (there[row])
            target_index_remove(&index, row);
    for (unsigned place = 0; place < PLACES; place++)
        cr_expect_eq(places[place], 0);
}
