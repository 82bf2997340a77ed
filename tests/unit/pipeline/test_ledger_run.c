#include "counting_source.h"
#include "pipeline/pipeline.h"

enum { GIVEN_PACKETS = 180 };

// A run whose consumer is stuck until the source has ended: shards fall behind.

struct stuck_consumer {
    struct tick_consumer consumer; // first
    const struct counting_source *source;
};

static void take_late(struct tick_consumer *consumer, struct pipeline_tick *tick)
{
    const struct stuck_consumer *stuck = (const struct stuck_consumer *)consumer;
    while (stuck->source != NULL && !atomic_load(&stuck->source->ended))
        usleep(1000);
    for (const struct flow_record *record; (record = tick_next_ended(tick)) != NULL;)
        flow_names_free(record->names);
}

// Runs `source` over `workers` shards and gives its totals.
static bool run(struct counting_source *source, unsigned workers, uint64_t limit, bool stuck,
                struct totals *totals, struct error *error)
{
    struct chunk_pool *pool = chunk_pool_create(1, CHUNK_BYTES);
    source->chunk = chunk_pool_take(pool, 0);
    struct stuck_consumer consumer = {.consumer.tick = take_late, .source = stuck ? source : NULL};
    struct pipeline_setup setup = {
        .policy = {.hash_seed = 5},
        .tick_ns = 2 * NS_PER_MS,
        .packet_limit = limit,
        .workers = workers,
        .threads = workers > 1 ? workers : 0,
        .batch = 1,
    };
    struct pipeline *pipeline = pipeline_create(&setup, &source->source, &consumer.consumer, error);
    cr_assert_not_null(pipeline);
    bool good = pipeline_run(pipeline, error);
    *totals = *pipeline_totals(pipeline);
    pipeline_destroy(pipeline);
    chunk_release(source->chunk);
    chunk_pool_destroy(pool);
    return good;
}

Test(ledger_run, of_a_run_whose_shards_are_behind_is_closed, .timeout = 60)
{
    static struct totals totals;
    struct counting_source source;
    struct error error = {0};
    counting_init(&source, &totals);
    source.left = GIVEN_PACKETS;
    cr_expect(run(&source, 2, 0, true, &totals, &error), "%s", error.text);
    cr_expect_eq(totals.received, GIVEN_PACKETS);
    cr_expect_gt(totals.lost[LOST_DISPATCH_QUEUE], 0);
    cr_expect_gt(totals.analysed, 0);
    cr_expect_eq(totals.analysed + totals.lost[LOST_DISPATCH_QUEUE], GIVEN_PACKETS);
    cr_expect_eq(row_of(&totals, 1)->lost[LOST_DISPATCH_QUEUE], totals.lost[LOST_DISPATCH_QUEUE]);
}

// However few packets a batch is to have: the shards stand still after some ticks, and what comes then is kept.
Test(ledger_run, of_a_run_with_small_batches_has_room_for_a_moment, .timeout = 60)
{
    enum { POLLS = 40, AT_ONCE = 80 };
    static struct totals totals;
    struct counting_source source;
    struct error error = {0};
    counting_init(&source, &totals);
    source.left = POLLS * AT_ONCE;
    source.at_once = AT_ONCE;
    cr_expect(run(&source, 3, 0, true, &totals, &error), "%s", error.text);
    cr_expect_eq(totals.received, POLLS * AT_ONCE);
    cr_expect_eq(totals.lost[LOST_DISPATCH_QUEUE], 0);
    cr_expect_eq(totals.analysed, POLLS * AT_ONCE);
}

Test(ledger_run, of_a_run_knows_its_source_to_the_packet, .timeout = 60)
{
    static struct totals totals;
    for (unsigned workers = 1; workers <= 3; workers += 2) {
        struct counting_source source;
        struct error error = {0};
        counting_init(&source, &totals);
        source.left = 50;
        source.drops[1].received = 1; // one that nobody handed over
        cr_expect_not(run(&source, workers, 0, false, &totals, &error));
        cr_expect_eq(error.kind, ERROR_INTERNAL);
        cr_expect_not_null(
            strstr(error.text, "of eth1 does not add up: libpcap counted 51 packets, NetScope 50;"), "%s",
            error.text);
    }
}

// The frames of the poll that reaches the count are there, and nobody wants them.
Test(ledger_run, of_a_run_with_a_count_is_closed, .timeout = 60)
{
    static struct totals totals;
    for (unsigned workers = 1; workers <= 3; workers += 2) {
        struct counting_source source;
        struct error error = {0};
        counting_init(&source, &totals);
        source.left = 60;
        source.at_once = 20;
        cr_expect(run(&source, workers, 25, false, &totals, &error), "%s", error.text);
        cr_expect_eq(totals.received, 25);
        cr_expect_eq(totals.analysed, 25);
        cr_expect_eq(row_of(&totals, 1)->unwanted, 15);
    }
}
