#include "capture/live/live_rings.h"

#include <criterion/criterion.h>

enum { MB = 1024 * 1024 };

static struct capture_settings settings_of(char **words, unsigned count, uint32_t buffer_mb)
{
    return (struct capture_settings){.interfaces = {.items = words, .count = count},
                                     .buffer_size_mb = buffer_mb};
}

Test(live_rings, of_named_interfaces_are_the_buffer)
{
    struct capture_settings none = settings_of(NULL, 0, 32);
    struct capture_settings two = settings_of((char *[]){"eth0", "any"}, 2, 32);
    cr_expect_eq(live_ring_named(&two), 32 * MB);
    cr_expect_eq(live_rings_most(&none, 0), 32 * MB, "auto");
    cr_expect_eq(live_rings_most(&two, 0), 64 * MB);
}

// However many come, they keep to what the plan says, but for the smallest ring each past it.
Test(live_rings, behind_globs_keep_to_the_plan)
{
    static const uint64_t limits[] = {0, 64 * MB, 512 * MB};
    struct capture_settings settings = settings_of((char *[]){"cali*"}, 1, 32);
    for (unsigned l = 0; l < sizeof limits / sizeof *limits; l++) {
        uint64_t most = live_rings_most(&settings, limits[l]), taken = 0, before = UINT64_MAX;
        cr_expect(limits[l] == 0 || most <= limits[l] / 4);
        for (unsigned i = 0; i < LIVE_INTERFACES_MAX; i++) {
            uint64_t bytes = live_ring_globbed(&settings, limits[l], taken);
            cr_assert_leq(bytes, before);
            cr_assert_geq(bytes, LIVE_RING_MIN_BYTES);
            cr_assert(taken + bytes <= most || bytes == LIVE_RING_MIN_BYTES);
            taken += before = bytes;
        }
    }
    cr_expect_eq(live_ring_globbed(&settings, 0, 0), 2 * MB);
}

Test(live_rings, are_never_larger_than_the_buffer)
{
    struct capture_settings settings = settings_of((char *[]){"cali*"}, 1, 1);
    cr_expect_leq(live_ring_globbed(&settings, 0, 0), 1 * MB);
    settings.buffer_size_mb = 1024;
    cr_expect_eq(live_ring_globbed(&settings, 0, 0), 64 * MB);
}
