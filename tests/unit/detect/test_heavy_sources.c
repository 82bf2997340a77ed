#include "detect/heavy_sources.h"

#include <criterion/criterion.h>
#include <string.h>

#include "numbers.h"

enum { SOURCES = 256 };

static struct address address_of(unsigned source)
{
    return address_v4((const uint8_t[4]){10, 0, (uint8_t)(source >> 8), (uint8_t)source});
}

static uint32_t hash_of(unsigned source)
{
    uint64_t seed = source;
    return (uint32_t)next_number(&seed);
}

static void add(struct heavy_sources *sources, unsigned source, uint32_t packets)
{
    struct address address = address_of(source);
    heavy_sources_add(sources, &address, hash_of(source), packets);
}

Test(heavy_sources, is_exact_while_there_are_few)
{
    struct heavy_sources sources = {0};
    for (unsigned round = 0; round < 10; round++)
        for (unsigned source = 0; source < HEAVY_SOURCES; source++)
            add(&sources, source, source + 1);
    struct heavy_source list[HEAVY_SOURCES];
    cr_assert_eq(heavy_sources_list(&sources, list), HEAVY_SOURCES);
    for (unsigned i = 0; i < HEAVY_SOURCES; i++) {
        struct address address = address_of(HEAVY_SOURCES - 1 - i);
        cr_expect_eq(list[i].packets, 10 * (HEAVY_SOURCES - i));
        cr_expect_eq(address_compare(&list[i].address, &address), 0);
    }
}

// Few sources carry much of it, the others little.
static unsigned next_source(uint64_t *random)
{
    unsigned source = (unsigned)(next_number(random) % SOURCES);
    return next_number(random) % 2 == 0 ? source % 5 : source;
}

static void expect_bounds(const struct heavy_sources *sources, const uint64_t exact[SOURCES], uint64_t all)
{
    struct heavy_source list[HEAVY_SOURCES];
    unsigned count = heavy_sources_list(sources, list);
    for (unsigned source = 0; source < SOURCES; source++) {
        uint64_t told = 0;
        for (unsigned i = 0; i < count; i++)
            if (list[i].hash == hash_of(source))
                told = list[i].packets;
        cr_expect_leq(told, exact[source]);
        cr_expect_leq(exact[source] - told, all / (HEAVY_SOURCES + 1));
    }
}

Test(heavy_sources, errs_as_stated)
{
    enum { PACKETS = 20000 };
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct heavy_sources sources = {0};
        uint64_t exact[SOURCES] = {0}, all = 0, random = seed;
        for (unsigned i = 0; i < PACKETS; i++) {
            unsigned source = next_source(&random), packets = 1 + (unsigned)(next_number(&random) % 4);
            add(&sources, source, packets);
            exact[source] += packets;
            all += packets;
        }
        expect_bounds(&sources, exact, all);
    }
}

// The bound holds in whatever order parts are merged.
Test(heavy_sources, errs_as_stated_when_merged)
{
    enum { PARTS = 64, PACKETS = 40000 };
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct heavy_sources parts[PARTS] = {0}, forth = {0}, back = {0};
        uint64_t exact[SOURCES] = {0}, random = seed;
        for (unsigned i = 0; i < PACKETS; i++) {
            unsigned source = next_source(&random);
            add(&parts[next_number(&random) % PARTS], source, 1);
            exact[source]++;
        }
        for (unsigned part = 0; part < PARTS; part++) {
            heavy_sources_merge(&forth, &parts[part]);
            heavy_sources_merge(&back, &parts[PARTS - 1 - part]);
        }
        expect_bounds(&forth, exact, PACKETS);
        expect_bounds(&back, exact, PACKETS);
    }
}

Test(heavy_sources, merges_one_like_an_addition)
{
    uint64_t random = 5;
    for (unsigned round = 0; round < 1000; round++) {
        struct heavy_sources added = {0}, merged = {0}, one = {0};
        for (unsigned i = 0; i < round % 12; i++) {
            unsigned source = (unsigned)(next_number(&random) % 10), packets = 1 + source;
            add(&added, source, packets);
            add(&merged, source, packets);
        }
        unsigned source = (unsigned)(next_number(&random) % 16),
                 packets = (unsigned)(next_number(&random) % 40) + 1;
        add(&added, source, packets);
        add(&one, source, packets);
        heavy_sources_merge(&merged, &one);
        struct heavy_source of_added[HEAVY_SOURCES], of_merged[HEAVY_SOURCES];
        unsigned count = heavy_sources_list(&added, of_added);
        cr_assert_eq(heavy_sources_list(&merged, of_merged), count);
        for (unsigned i = 0; i < count; i++) {
            cr_expect_eq(of_added[i].hash, of_merged[i].hash);
            cr_expect_eq(of_added[i].packets, of_merged[i].packets);
        }
    }
}
