#include "aggregate/name_cache.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct address host(uint32_t number)
{
    return address_v4(
        (const uint8_t[4]){10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number});
}

Test(name_cache, gives_the_last_name)
{
    struct name_cache *cache = name_cache_create(1024, 5);
    struct address one = host(1), two = host(2);
    cr_expect_null(name_cache_get(cache, &one));
    name_cache_put(cache, &one, "one.example");
    name_cache_put(cache, &two, "two.example");
    cr_expect_str_eq(name_cache_get(cache, &one), "one.example");
    name_cache_put(cache, &one, "uno.example");
    cr_expect_str_eq(name_cache_get(cache, &one), "uno.example");
    cr_expect_str_eq(name_cache_get(cache, &two), "two.example");
    name_cache_destroy(cache);
}

Test(name_cache, tells_versions_apart)
{
    struct name_cache *cache = name_cache_create(1024, 5);
    struct address four = host(1), six = four;
    six.version = 6; // the same bytes
    name_cache_put(cache, &four, "four.example");
    cr_expect_null(name_cache_get(cache, &six));
    name_cache_put(cache, &six, "six.example");
    cr_expect_str_eq(name_cache_get(cache, &four), "four.example");
    cr_expect_str_eq(name_cache_get(cache, &six), "six.example");
    name_cache_destroy(cache);
}

Test(name_cache, ignores_names_that_are_empty_or_too_long)
{
    struct name_cache *cache = name_cache_create(1024, 5);
    struct address one = host(1);
    char name[300];
    memset(name, 'x', sizeof name);
    name[256] = '\0';
    name_cache_put(cache, &one, "");
    name_cache_put(cache, &one, name);
    cr_expect_null(name_cache_get(cache, &one));
    name[255] = '\0';
    name_cache_put(cache, &one, name);
    cr_expect_str_eq(name_cache_get(cache, &one), name);
    name_cache_put(cache, &one, "");
    cr_expect_str_eq(name_cache_get(cache, &one), name, "nothing does not replace something");
    name_cache_destroy(cache);
}

// Bounded: a flood of addresses pushes the old ones out, and what is kept is right.
Test(name_cache, keeps_the_newest_of_a_flood)
{
    enum { ENTRIES = 1024, FLOOD = 20000 };
    struct name_cache *cache = name_cache_create(ENTRIES, 5);
    char name[32];
    for (uint32_t i = 0; i < FLOOD; i++) {
        struct address address = host(i);
        snprintf(name, sizeof name, "h%u.example", i);
        name_cache_put(cache, &address, name);
        cr_assert_str_eq(name_cache_get(cache, &address), name);
    }
    unsigned kept = 0, recent = 0;
    for (uint32_t i = 0; i < FLOOD; i++) {
        struct address address = host(i);
        const char *found = name_cache_get(cache, &address);
        snprintf(name, sizeof name, "h%u.example", i);
        cr_assert(found == NULL || strcmp(found, name) == 0);
        kept += found != NULL;
        recent += found != NULL && i >= FLOOD - ENTRIES / 4;
    }
    cr_expect_eq(kept, ENTRIES);
    cr_expect_geq(recent, ENTRIES / 4 * 9 / 10, "%u of the last %d", recent, ENTRIES / 4);
    name_cache_destroy(cache);
}

Test(name_cache, replaces_the_least_recently_written_of_a_set)
{
    struct name_cache *cache = name_cache_create(4, 5); // one set of four
    for (uint32_t i = 0; i < 4; i++) {
        struct address address = host(i);
        name_cache_put(cache, &address, "old.example");
    }
    struct address first = host(0), second = host(1), fifth = host(4);
    name_cache_put(cache, &first, "again.example");
    name_cache_put(cache, &fifth, "new.example");
    cr_expect_str_eq(name_cache_get(cache, &first), "again.example");
    cr_expect_str_eq(name_cache_get(cache, &fifth), "new.example");
    cr_expect_null(name_cache_get(cache, &second));
    name_cache_destroy(cache);
}

Test(name_cache, destroys_nothing)
{
    name_cache_destroy(NULL);
}
