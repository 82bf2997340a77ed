#include "capture/clock.h"

#include <criterion/criterion.h>

#include "base/time.h"

Test(clock, follows_stamps_and_stands_still_for_small_steps_back)
{
    struct packet_clock clock = {0};
    cr_assert_eq(packet_clock_advance(&clock, 100 * NS_PER_S), 100 * NS_PER_S);
    cr_assert_eq(packet_clock_advance(&clock, 101 * NS_PER_S), 101 * NS_PER_S);
    cr_assert_eq(packet_clock_advance(&clock, 100 * NS_PER_S), 101 * NS_PER_S, "1 s is clamped");
    cr_assert_eq(packet_clock_advance(&clock, 100 * NS_PER_S + 1), 101 * NS_PER_S);
    cr_assert_eq(clock.steps_back, 0);
}

Test(clock, a_capture_that_begins_before_1970_is_shifted_as_a_whole)
{
    static const int64_t day_ns = 86400 * NS_PER_S;
    struct packet_clock clock = {0};
    cr_expect_eq(packet_clock_advance(&clock, -NS_PER_S / 2), day_ns - NS_PER_S / 2);
    cr_expect_eq(packet_clock_advance(&clock, NS_PER_S / 2), day_ns + NS_PER_S / 2);
    cr_expect_eq(clock.offset_ns, day_ns, "the same for all");
    cr_expect_eq(clock.steps_back, 0);
    packet_clock_advance(&clock, -1000 * day_ns);
    cr_expect_eq(clock.now_ns, day_ns + NS_PER_S / 2);
    cr_expect_eq(clock.steps_back, 1);
}

Test(clock, rebases_on_large_steps_back)
{
    struct packet_clock clock = {0};
    packet_clock_advance(&clock, 100 * NS_PER_S);
    cr_assert_eq(packet_clock_advance(&clock, 50 * NS_PER_S), 100 * NS_PER_S);
    cr_assert_eq(clock.steps_back, 1);
    cr_assert_eq(packet_clock_advance(&clock, 52 * NS_PER_S), 102 * NS_PER_S, "goes on with the offset");
    cr_assert_eq(packet_clock_advance(&clock, 51 * NS_PER_S + 5), 102 * NS_PER_S);
    cr_assert_eq(clock.steps_back, 1);
}

Test(clock, two_clocks_in_turn_do_not_add_up)
{
    struct packet_clock clock = {0};
    for (int64_t i = 0; i < 100; i++) {
        packet_clock_advance(&clock, 1000 * NS_PER_S + i);
        packet_clock_advance(&clock, 900 * NS_PER_S + i);
    }
    cr_assert_lt(clock.now_ns, 1001 * NS_PER_S);
}

Test(clock, extremes_do_not_overflow)
{
    struct packet_clock clock = {0};
    cr_assert_eq(packet_clock_advance(&clock, PACKET_CLOCK_LATEST_NS), PACKET_CLOCK_LATEST_NS);
    cr_assert_eq(packet_clock_advance(&clock, -PACKET_CLOCK_LATEST_NS), PACKET_CLOCK_LATEST_NS);
    cr_assert_eq(packet_clock_advance(&clock, 0), PACKET_CLOCK_LATEST_NS);
    clock = (struct packet_clock){0};
    int64_t first_ns = packet_clock_advance(&clock, -PACKET_CLOCK_LATEST_NS);
    cr_assert(first_ns >= 0 && first_ns <= 86400 * NS_PER_S);
    cr_assert_eq(packet_clock_advance(&clock, PACKET_CLOCK_LATEST_NS), first_ns, "a leap too far is none");
    cr_assert_eq(packet_clock_advance(&clock, -PACKET_CLOCK_LATEST_NS + NS_PER_S), first_ns + NS_PER_S);
}

Test(clock, monotonic_clock_moves)
{
    int64_t first = clock_now_ns();
    cr_assert_geq(clock_now_ns(), first);
    cr_assert_gt(clock_wall_ns(), 1700000000 * NS_PER_S);
}

// Leaps to the end of time and back, again and again: now stays in range.
Test(clock, leaps_do_not_add_up)
{
    struct packet_clock clock = {0};
    for (unsigned i = 0; i < 6; i++) {
        packet_clock_advance(&clock, INT64_C(0xffffffff) * NS_PER_S + i);
        int64_t now_ns = packet_clock_advance(&clock, 0);
        cr_assert(now_ns >= 0 && now_ns <= PACKET_CLOCK_LATEST_NS);
    }
    cr_expect_gt(clock.steps_back, 0);
}
