#include "detect/windows.h"

#include "made_evidence.h"
#include "numbers.h"

static struct endpoint target_at(uint32_t number)
{
    const uint8_t bytes[4] = {10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    return (struct endpoint){address_v4(bytes), 0};
}

static const uint32_t one = 1;

static struct target_row *row_of(struct target_table *table, const struct endpoint *target)
{
    const struct target_name name = {&target->address, hash_of(*target), target->port, 0};
    struct target_row *row = target_table_row(table, &name, 1);
    cr_assert_not_null(row);
    return row;
}

// Counts packets from a source to a target in a table.
static struct target_row *count_from(struct target_table *table, uint32_t number, unsigned client,
                                     uint32_t packets)
{
    struct endpoint target = target_at(number);
    struct target_row *row = row_of(table, &target);
    struct address source = other(client);
    row->counts[0] += packets;
    if (row->sample_count == 0)
        row->samples[row->sample_count++] =
            (struct target_sample){.flow = {.client = {source, 1}, .server = target}};
    target_row_add_source(table, row, &source, source_hash(&source, made_seed), packets);
    return row;
}

static void count(struct target_table *table, uint32_t number, uint32_t packets, uint64_t sent)
{
    struct endpoint target = target_at(number);
    struct target_row *row =
        packets > 0 ? count_from(table, number, number, packets) : row_of(table, &target);
    row->counts[1] += sent;
}

static void merge(struct target_windows *windows, struct target_table *table, int64_t at_ns)
{
    const struct evidence evidence = {.targets[TARGET_SYN] = table};
    const struct evidence *shards[] = {&evidence};
    const struct tick_evidence tick = {.shards = shards, .shard_count = 1};
    target_windows_merge(windows, &tick, TARGET_SYN, TEST_START_NS + at_ns);
    target_table_reset(table);
}

// A tick in which nothing comes, and of it the first target that is to be judged; what is not young rests.
static struct target_window *judged(struct target_windows *windows, int64_t at_ns)
{
    const struct evidence nothing = {.targets = {NULL}};
    const struct evidence *shards[] = {&nothing};
    const struct tick_evidence tick = {.shards = shards, .shard_count = 1};
    target_windows_merge(windows, &tick, TARGET_SYN, TEST_START_NS + at_ns);
    unsigned place = 0;
    struct target_window *first = target_windows_next(windows, &place);
    for (struct target_window *window = first; window != NULL; window = target_windows_next(windows, &place))
        if (target_window_young(windows, window) == 0)
            target_windows_rest(windows, window);
    return first;
}

static const int64_t tick_ns = 50 * NS_PER_MS;

Test(windows, slide)
{
    struct target_table *table = target_table_create();
    struct target_windows *windows = target_windows_create(5, 0, made_seed);
    for (int64_t tick = 1; tick <= 400; tick++) {
        count(table, one, 1, tick % 2 == 0);
        merge(windows, table, tick * tick_ns);
        const struct target_window *window = judged(windows, tick * tick_ns);
        uint64_t least = tick < 91 ? (uint64_t)tick : 91, most = tick < 100 ? (uint64_t)tick : 100;
        cr_assert(window->sums[0] >= least && window->sums[0] <= most, "%lu in tick %ld",
                  (unsigned long)window->sums[0], (long)tick);
        cr_expect(window->sums[1] >= least / 2 && window->sums[1] <= most / 2 + 1);
    }
    merge(windows, NULL, 500 * tick_ns);
    cr_expect_null(judged(windows, 500 * tick_ns), "nothing came");
    count(table, one, 1, 0);
    merge(windows, table, 900 * tick_ns);
    cr_expect_eq(judged(windows, 900 * tick_ns)->sums[0], 1);
    target_windows_destroy(windows);
    target_windows_destroy(NULL);
    target_table_destroy(table);
}

Test(windows, remember_sources_for_one_to_two_windows)
{
    struct target_table *table = target_table_create();
    struct target_windows *windows = target_windows_create(5, 0, made_seed);
    struct target_visitors visitors;
    static const int64_t secs[] = {1, 6, 11, 30};
    static const uint64_t expected[] = {1, 2, 2, 1};
    for (unsigned i = 0; i < 4; i++) {
        count_from(table, one, i, 1);
        merge(windows, table, secs[i] * NS_PER_S);
        target_window_visitors(judged(windows, secs[i] * NS_PER_S), &visitors);
        cr_expect_eq(distinct_sources_estimate(&visitors.sources), expected[i], "step %u", i);
    }
    target_windows_destroy(windows);
    target_table_destroy(table);
}

Test(windows, tell_young_packets)
{
    struct target_table *table = target_table_create();
    struct target_windows *windows = target_windows_create(5, 125 * NS_PER_MS, made_seed);
    for (int64_t tick = 1; tick <= 40; tick++) {
        count(table, one, 1, 0);
        merge(windows, table, tick * tick_ns);
        const struct target_window *window = judged(windows, tick * tick_ns);
        uint64_t young = target_window_young(windows, window);
        cr_expect(tick < 5 ? young == (uint64_t)tick : young >= 3 && young <= 5);
    }
    merge(windows, NULL, 42 * tick_ns);
    cr_expect_not_null(judged(windows, 42 * tick_ns), "some are young");
    merge(windows, NULL, 43 * tick_ns);
    cr_expect_not_null(judged(windows, 43 * tick_ns), "the last of them has just grown old");
    merge(windows, NULL, 44 * tick_ns);
    cr_expect_null(judged(windows, 44 * tick_ns));
    target_windows_destroy(windows);
    target_table_destroy(table);
}

Test(windows, make_no_row_for_what_only_sends)
{
    struct target_table *table = target_table_create();
    struct target_windows *windows = target_windows_create(5, 0, made_seed);
    count(table, one, 0, 5);
    merge(windows, table, tick_ns);
    cr_expect_eq(target_windows_counts(windows).targets, 0);
    count(table, one, 3, 0);
    merge(windows, table, 2 * tick_ns);
    count(table, one, 0, 5);
    merge(windows, table, 2 * tick_ns);
    cr_expect_eq(judged(windows, 2 * tick_ns)->sums[1], 5);
    target_windows_destroy(windows);
    target_table_destroy(table);
}

// 5 s, then 20 s, then 2 s: what the new window covers stays.
Test(windows, change_and_keep_what_they_hold)
{
    struct target_table *table = target_table_create();
    struct target_windows *windows = target_windows_create(5, 0, made_seed);
    for (int64_t tick = 1; tick <= 80; tick++) {
        count(table, one, 1, 1);
        merge(windows, table, tick * tick_ns);
    }
    target_windows_change(windows, 20);
    cr_expect_eq(judged(windows, 80 * tick_ns)->sums[0], 80);
    count(table, one, 1, 0);
    merge(windows, table, 160 * tick_ns);
    target_windows_change(windows, 5);
    const struct target_window *window = judged(windows, 160 * tick_ns);
    cr_expect(window->sums[0] >= 1 && window->sums[0] <= 41, "4 s with 80 are half a second to 1.5 s ago");
    struct target_visitors visitors;
    target_window_visitors(window, &visitors);
    cr_expect_eq(distinct_sources_estimate(&visitors.sources), 1);
    merge(windows, NULL, 400 * tick_ns);
    count(table, one, 1, 0);
    merge(windows, table, 400 * tick_ns);
    target_windows_change(windows, 2);
    cr_expect_eq(judged(windows, 400 * tick_ns)->sums[0], 1);
    target_windows_destroy(windows);
    target_table_destroy(table);
}

// Ten targets with a hundredth of the packets each among a million others.
Test(windows, keep_the_heavy_of_a_million)
{
    enum { HEAVY = 10, ROWS = 1000000 };
    struct target_table *table = target_table_create();
    struct target_windows *windows = target_windows_create(5, 0, made_seed);
    uint64_t random = 1, sent[HEAVY] = {0};
    for (unsigned i = 0; i < ROWS; i++) {
        unsigned which = (unsigned)(next_number(&random) % 100);
        sent[which % HEAVY] += which < HEAVY;
        count(table, which < HEAVY ? which : 100 + (uint32_t)next_number(&random) % 1000000, 1, 0);
        if (i % 10 == 9)
            merge(windows, table, 1 + i / 250000 * NS_PER_S);
    }
    cr_expect_eq(target_windows_counts(windows).targets, WINDOWS_MAXIMUM);
    cr_expect_gt(target_windows_counts(windows).evicted, 800000);
    unsigned place = 0, found = 0;
    for (struct target_window *window; (window = target_windows_next(windows, &place)) != NULL;) {
        uint64_t number = (uint64_t)window->target.address.bytes[3];
        if (window->sums[0] < 1000)
            continue;
        found++;
        cr_expect_geq(window->sums[0], sent[number] * 99 / 100);
    }
    cr_expect_eq(found, HEAVY);
    target_windows_destroy(windows);
    target_table_destroy(table);
}

// The eight smallest, one of a flow, whatever the order.
Test(windows, keep_the_first_samples)
{
    for (uint64_t random = 1; random < 200; random++) {
        struct target_table *table = target_table_create();
        struct target_windows *windows = target_windows_create(5, 0, made_seed);
        uint64_t state = random;
        int64_t first[12];
        for (unsigned client = 0; client < 12; client++)
            first[client] = INT64_MAX;
        for (unsigned i = 0; i < 40; i++) {
            unsigned client = (unsigned)(next_number(&state) % 12);
            int64_t at_ns = (int64_t)(next_number(&state) % 1000) * 16 + client;
            first[client] = at_ns < first[client] ? at_ns : first[client];
            count_from(table, one, client, 1)->samples[0].flow.first_seen_ns = at_ns;
            merge(windows, table, tick_ns);
        }
        struct target_visitors visitors;
        target_window_visitors(judged(windows, tick_ns), &visitors);
        for (unsigned i = 0; i < visitors.sample_count; i++) {
            int64_t at_ns = visitors.samples[i].flow.first_seen_ns;
            unsigned earlier = 0, client = (unsigned)(at_ns % 16);
            for (unsigned k = 0; k < 12; k++)
                earlier += first[k] < at_ns;
            cr_assert_eq(at_ns, first[client], "the first of its flow");
            cr_assert_eq(earlier, i, "in order");
        }
        target_windows_destroy(windows);
        target_table_destroy(table);
    }
}
