#include "detect/distinct_sources.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "numbers.h"

static struct distinct_sources set_of(uint64_t seed, unsigned members)
{
    struct distinct_sources set = {0};
    for (unsigned i = 0; i < members; i++)
        distinct_sources_add(&set, (uint32_t)next_number(&seed));
    return set;
}

Test(distinct_sources, is_exact_up_to_its_size)
{
    for (unsigned members = 0; members <= DISTINCT_SOURCES; members++) {
        struct distinct_sources set = {0};
        for (unsigned times = 0; times < 3; times++) {
            uint64_t seed = members;
            for (unsigned i = 0; i < members; i++)
                distinct_sources_add(&set, (uint32_t)next_number(&seed));
        }
        cr_expect_eq(distinct_sources_estimate(&set), members);
    }
}

Test(distinct_sources, says_more_beyond_its_size)
{
    uint64_t above = 0, below = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct distinct_sources set = set_of(seed, DISTINCT_SOURCES + 1);
        cr_expect_gt(distinct_sources_estimate(&set), DISTINCT_SOURCES);
        above += distinct_sources_estimate(&set) > DISTINCT_SOURCES + 1;
        below += distinct_sources_estimate(&set) == DISTINCT_SOURCES + 1;
    }
    cr_expect(above > 0 && below > 0);
}

// The error that the header states, over 1,000 sets of each size.
Test(distinct_sources, errs_as_stated)
{
    enum { SETS = 1000 };
    static const unsigned sizes[] = {200, 2000, 20000};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        double sum = 0, squares = 0;
        for (unsigned set = 0; set < SETS; set++) {
            struct distinct_sources sources = set_of(set * 7919u + i, sizes[i]);
            double error = (double)distinct_sources_estimate(&sources) / sizes[i] - 1;
            sum += error;
            squares += error * error;
        }
        cr_expect_lt(fabs(sum / SETS), 0.02, "bias %g at %u", sum / SETS, sizes[i]);
        double deviation = sqrt(squares / SETS), stated = 1 / sqrt(DISTINCT_SOURCES - 2);
        cr_expect_lt(deviation, stated * 1.1, "error %g at %u", deviation, sizes[i]);
        cr_expect_gt(deviation, stated * 0.7, "error %g at %u", deviation, sizes[i]);
    }
}

// Of parts that share members, merged in any order: what comes of all members one by one, byte for byte.
Test(distinct_sources, merges_in_any_order)
{
    enum { PARTS = 5 };
    for (unsigned members = 1; members < 600; members += 13) {
        struct distinct_sources parts[PARTS] = {0}, whole = {0}, forth = {0}, back = {0};
        uint64_t seed = members, choice = 1;
        for (unsigned i = 0; i < members; i++) {
            uint32_t hash = (uint32_t)next_number(&seed);
            distinct_sources_add(&whole, hash);
            distinct_sources_add(&parts[next_number(&choice) % PARTS], hash);
            distinct_sources_add(&parts[next_number(&choice) % PARTS], hash);
        }
        for (unsigned part = 0; part < PARTS; part++) {
            distinct_sources_merge(&forth, &parts[part]);
            distinct_sources_merge(&back, &parts[PARTS - 1 - part]);
        }
        cr_expect_eq(forth.count, whole.count);
        cr_expect_eq(forth.more, whole.more);
        cr_expect_eq(back.more, whole.more);
        cr_expect_arr_eq(forth.smallest, whole.smallest, whole.count * sizeof whole.smallest[0]);
        cr_expect_arr_eq(back.smallest, whole.smallest, whole.count * sizeof whole.smallest[0]);
    }
}
