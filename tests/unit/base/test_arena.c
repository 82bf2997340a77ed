#include "base/arena.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MB = 1 << 20 };

static size_t resident_bytes(void)
{
    unsigned long total = 0, resident = 0;
    FILE *stream = fopen("/proc/self/statm", "re");
    cr_assert_eq(fscanf(stream, "%lu %lu", &total, &resident), 2);
    fclose(stream);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

Test(arena, takes_memory_only_where_it_is_touched)
{
    struct arena arena;
    size_t before = resident_bytes();
    cr_assert(arena_reserve(&arena, (size_t)4096 * MB));
    cr_assert(arena_grow(&arena, (size_t)1024 * MB));
    cr_expect_lt(resident_bytes() - before, 4 * MB, "%zu", resident_bytes() - before);
    arena.base[0] = 1;
    arena_done(&arena);
}

Test(arena, grows_in_place_with_zeros_up_to_what_was_reserved)
{
    struct arena arena;
    cr_assert(arena_reserve(&arena, 10 * MB));
    const uint8_t *base = arena.base;
    for (size_t bytes = 1; bytes <= 10 * MB; bytes += MB) {
        cr_assert(arena_grow(&arena, bytes));
        cr_assert_eq(arena.base, base);
        cr_assert_eq(arena.base[bytes - 1], 0);
        arena.base[bytes - 1] = 0xff;
    }
    cr_expect_not(arena_grow(&arena, 10 * MB + 1));
    cr_expect_eq(arena.base[0], 0xff);
    arena_done(&arena);
    cr_expect_null(arena.base);
}

Test(arena, says_when_there_is_no_address_space)
{
    struct arena arena;
    cr_expect_not(arena_reserve(&arena, (size_t)1 << 60));
}
