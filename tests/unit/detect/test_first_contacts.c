#include "detect/first_contacts.h"

#include <criterion/criterion.h>
#include <math.h>

#include "numbers.h"

Test(first_contacts, are_exact_while_they_are_few)
{
    struct first_contacts set = {0};
    uint64_t state = 1;
    for (unsigned i = 0; i < FIRST_CONTACTS_EXACT; i++) {
        cr_assert_eq(first_contacts_add(&set, next_number(&state)), 1, "member %u", i);
        uint64_t again = 1;
        for (unsigned k = 0; k <= i && i < FIRST_CONTACTS_EXACT - 1; k++)
            cr_assert_eq(first_contacts_add(&set, next_number(&again)), 0, "member %u of %u", k, i);
    }
    cr_expect(set.is_sketch);
}

// Whom it met while it was exact it knows as a sketch.
Test(first_contacts, know_those_that_they_met_before)
{
    struct first_contacts set = {0};
    uint64_t state = 1, again = 1;
    for (unsigned i = 0; i < 100000; i++)
        first_contacts_add(&set, next_number(&state));
    for (unsigned i = 0; i < 100000; i++)
        cr_assert_eq(first_contacts_add(&set, next_number(&again)), 0);
}

// What `members` sum up to, to the whole.
static double error_of(uint64_t seed, unsigned members, unsigned from)
{
    struct first_contacts set = {0};
    uint64_t state = next_number(&seed);
    double sum = 0;
    for (unsigned i = 0; i < members; i++) {
        double weight = first_contacts_add(&set, next_number(&state));
        sum += i >= from ? weight : 0;
    }
    return sum / (members - from) - 1;
}

struct errors {
    double mean, deviation;
};

static struct errors errors_over_seeds(unsigned members, unsigned from)
{
    enum { SEEDS = 400 };
    double sum = 0, squares = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        double error = error_of(seed, members, from);
        sum += error;
        squares += error * error;
    }
    return (struct errors){sum / SEEDS, sqrt(squares / SEEDS)};
}

// The error that the header states.
Test(first_contacts, err_as_stated)
{
    static const unsigned sizes[] = {300, 1000, 4000, 30000};
    const double stated = 0.83 / sqrt(FIRST_CONTACTS_REGISTERS);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct errors errors = errors_over_seeds(sizes[i], 0);
        cr_expect_lt(fabs(errors.mean), 0.25 * stated, "bias %g at %u", errors.mean, sizes[i]);
        cr_expect_lt(errors.deviation, 1.15 * stated, "error %g at %u", errors.deviation, sizes[i]);
        cr_expect(sizes[i] < 30000 || errors.deviation > 0.8 * stated, "error %g: the header states more",
                  errors.deviation);
    }
}

// A window holds a part of the sum: right in the mean, with a larger error.
Test(first_contacts, are_right_in_the_mean_in_a_window)
{
    struct errors errors = errors_over_seeds(10000, 9900);
    cr_expect_lt(fabs(errors.mean), 0.1, "bias %g", errors.mean);
    cr_expect_gt(errors.deviation, 0.05);
    cr_expect_lt(errors.deviation, 0.4);
}
