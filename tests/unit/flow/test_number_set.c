#include "flow/number_set.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { MOST = 40, NUMBERS = 300 };

static struct number_set make(const struct number_range *ranges, unsigned count)
{
    struct number_range *own = calloc(count + 1, sizeof *own);
    for (unsigned i = 0; i < count; i++)
        own[i] = ranges[i];
    return number_set_of(own, count);
}

static bool in_one(const struct number_range *ranges, unsigned count, wide_number number)
{
    for (unsigned i = 0; i < count; i++)
        if (ranges[i].first <= number && number <= ranges[i].last)
            return true;
    return false;
}

static void expect_narrow(const struct number_range *ranges, unsigned count)
{
    struct number_range *own = calloc(count + 1, sizeof *own);
    for (unsigned i = 0; i < count; i++)
        own[i] = ranges[i];
    struct number_set set;
    cr_assert(number_set_narrow(own, count, &set));
    for (uint32_t i = 0; i <= NUMBERS; i++)
        cr_assert_eq(number_set_has(&set, i), in_one(ranges, count, i), "%u", i);
    cr_assert_not(number_set_has(&set, UINT32_MAX));
    number_set_done(&set);
}

Test(number_set, has_what_its_ranges_have)
{
    srand(3);
    for (unsigned round = 0; round < 500; round++) {
        struct number_range ranges[MOST];
        unsigned count = (unsigned)rand() % (MOST + 1);
        wide_number base = round % 2 == 0 ? 0 : ~(wide_number)0 - NUMBERS;
        for (unsigned i = 0; i < count; i++) {
            ranges[i].first = base + (wide_number)(rand() % NUMBERS);
            ranges[i].last = ranges[i].first + (wide_number)(rand() % 5);
            if (ranges[i].last < ranges[i].first)
                ranges[i].last = ~(wide_number)0;
        }
        struct number_set set = make(ranges, count);
        cr_assert_leq(set.count, count);
        for (unsigned i = 1; i < set.count; i++)
            cr_assert(set.ranges[i - 1].last < set.ranges[i].first);
        for (unsigned i = 0; i <= NUMBERS; i++)
            cr_assert_eq(number_set_has_wide(&set, base + i), in_one(ranges, count, base + i), "%u", i);
        number_set_done(&set);
        if (base == 0)
            expect_narrow(ranges, count);
    }
}

Test(number_set, of_nothing_has_nothing)
{
    struct number_set set = {0};
    cr_expect_not(number_set_has(&set, 0));
    cr_expect_not(number_set_has_wide(&set, 0));
    number_set_done(&set);
}

Test(number_set, may_have_everything)
{
    struct number_range all = {0, ~(wide_number)0};
    struct number_set set = make(&all, 1);
    cr_expect(number_set_has_wide(&set, 0));
    cr_expect(number_set_has_wide(&set, ~(wide_number)0));
    number_set_done(&set);
}
