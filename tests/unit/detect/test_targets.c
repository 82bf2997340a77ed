#include "detect/targets.h"

#include <criterion/criterion.h>

#include "numbers.h"

static const uint64_t seed = 11;
static const uint8_t partition = 5;

static struct endpoint target_at(uint32_t number, uint16_t port)
{
    const uint8_t bytes[4] = {10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    return (struct endpoint){address_v4(bytes), port};
}

static uint64_t hash_of(struct endpoint target)
{
    return target_hash(&target.address, target.port, seed);
}

static struct target_row *count(struct target_table *table, struct endpoint target)
{
    const struct target_name name = {&target.address, hash_of(target), target.port, partition};
    struct target_row *row = target_table_row(table, &name, 1);
    cr_assert_not_null(row);
    row->counts[0]++;
    return row;
}

static unsigned rows_of(const struct target_table *table)
{
    return table->row_count;
}

static uint64_t count_of(const struct target_table *table, struct endpoint target)
{
    const struct target_row *row;
    for (unsigned place = 0; (row = target_table_next(table, partition, &place)) != NULL;)
        if (row->hash == hash_of(target))
            return row->counts[0];
    return 0;
}

Test(targets, tells_addresses_ports_and_versions_apart)
{
    struct target_table *table = target_table_create();
    const struct endpoint targets[] = {
        target_at(1, 80), target_at(1, 443), target_at(2, 80), {{.bytes = {10, 0, 0, 1}, .version = 6}, 80}};
    for (unsigned i = 0; i < 12; i++)
        count(table, targets[i % 4]);
    cr_expect_eq(rows_of(table), 4);
    for (unsigned i = 0; i < 4; i++)
        cr_expect_eq(count_of(table, targets[i]), 3);
    target_table_destroy(table);
}

Test(targets, is_exact_while_all_have_room)
{
    struct target_table *table = target_table_create();
    for (unsigned i = 0; i < 5 * TARGET_SET; i++)
        count(table, target_at(i % TARGET_SET, 0));
    cr_expect_eq(rows_of(table), TARGET_SET);
    cr_expect_eq(table->lost, 0);
    for (unsigned i = 0; i < TARGET_SET; i++)
        cr_expect_eq(count_of(table, target_at(i, 0)), 5);
    target_table_reset(table);
    cr_expect_eq(count(table, target_at(7, 0))->counts[0], 1);
    cr_expect_eq(rows_of(table), 1);
    target_table_reset(NULL);
    target_table_destroy(table);
    target_table_destroy(NULL);
}

// The header: of 30 targets nearly always all have room.
Test(targets, has_room_for_many)
{
    unsigned whole = 0;
    for (uint32_t round = 0; round < 1000; round++) {
        struct target_table *table = target_table_create();
        for (uint32_t i = 0; i < 30; i++)
            count(table, target_at(round * 30 + i, 0));
        whole += table->lost == 0;
        target_table_destroy(table);
    }
    cr_expect_gt(whole, 850, "%u of 1000", whole);
}

// What a row may inherit: an eighth of the packets of its set, which has an eighth of them and some more.
static uint64_t set_share(uint64_t packets)
{
    return packets / TARGETS_MAXIMUM * 2;
}

// A million targets, and one that gets a tenth of the packets, from the beginning or from the middle on.
static void expect_heavy_one(unsigned from)
{
    enum { PACKETS = 1000000 };
    struct target_table *table = target_table_create();
    struct endpoint heavy = target_at(0xffffff, 80);
    uint64_t random = 7, sent = 0, counted = 0;
    for (unsigned i = 0; i < PACKETS; i++) {
        bool to_heavy = i >= from && next_number(&random) % 10 == 0;
        sent += to_heavy;
        count(table, to_heavy ? heavy : target_at((uint32_t)next_number(&random) & 0xfffff, 80));
    }
    uint64_t own = count_of(table, heavy);
    cr_expect_leq(own, sent);
    cr_expect_geq(own + set_share(PACKETS), sent, "%lu of %lu", (unsigned long)own, (unsigned long)sent);
    const struct target_row *row;
    for (unsigned place = 0; (row = target_table_next(table, partition, &place)) != NULL;)
        counted += row->counts[0];
    cr_expect_eq(counted + table->lost, PACKETS);
    target_table_destroy(table);
}

Test(targets, keeps_the_heavy_one_of_a_million)
{
    expect_heavy_one(0);
    expect_heavy_one(500000);
}

// Whoever gets more than twice a 64th of the packets is there at the end, in whatever order they came.
Test(targets, keeps_whoever_gets_more_than_a_share)
{
    enum { HEAVY = 12, PACKETS = 100000 };
    for (uint64_t random = 1; random < 10; random++) {
        struct target_table *table = target_table_create();
        uint64_t exact[HEAVY] = {0}, state = random;
        for (unsigned i = 0; i < PACKETS; i++) {
            unsigned which = (unsigned)(next_number(&state) % 24);
            exact[which % HEAVY] += which < HEAVY;
            count(table,
                  which < HEAVY ? target_at(which, 1) : target_at((uint32_t)next_number(&state) & 0xffff, 2));
        }
        for (unsigned i = 0; i < HEAVY; i++) {
            if (exact[i] <= set_share(PACKETS))
                continue;
            uint64_t own = count_of(table, target_at(i, 1));
            cr_expect_gt(own, 0);
            cr_expect_geq(own + set_share(PACKETS), exact[i]);
        }
        target_table_destroy(table);
    }
}

// The first source is kept aside until there is a second one: what comes of it is the same.
Test(targets, adds_sources_one_by_one)
{
    for (unsigned sources = 1; sources < 20; sources++) {
        struct target_table *table = target_table_create();
        struct target_row *row = count(table, target_at(1, 1));
        struct distinct_sources distinct = {0};
        struct heavy_sources heaviest = {0};
        for (unsigned i = 0; i < 3 * sources; i++) {
            struct endpoint source = target_at(100 + i / 3, 9);
            if (row->sample_count == 0)
                row->samples[row->sample_count++] = (struct target_sample){
                    .flow.client = target_at(1, 1), .flow.server = source, .from_server = true};
            target_row_add_source(table, row, &source.address, source_hash(&source.address, seed), 2);
        }
        target_row_sources(table, row, &distinct, &heaviest);
        struct heavy_source list[HEAVY_SOURCES];
        unsigned listed = heavy_sources_list(&heaviest, list);
        cr_expect_eq(distinct_sources_estimate(&distinct), sources);
        cr_assert(sources > HEAVY_SOURCES || listed == sources);
        for (unsigned i = 0; i < listed && sources <= HEAVY_SOURCES; i++) {
            cr_expect_eq(list[i].packets, 6);
            cr_expect_eq(source_hash(&list[i].address, seed), list[i].hash);
        }
        target_table_destroy(table);
    }
}
