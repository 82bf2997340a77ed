#include "dispatching.h"

// Live: time is the clock's, and goes on without packets.
Test(dispatch_live, cuts_live_ticks_by_the_clock)
{
    struct dispatch_settings settings = file_settings();
    settings.lossless = false;
    settings.tick_ns = NS_PER_MS;
    begin(&fixture, settings, 10);
    dispatch_idle(&fixture.dispatch);
    int64_t start_ns = fixture.dispatch.now_ns;
    while (fixture.dispatch.now_ns < start_ns + 3 * NS_PER_MS)
        dispatch_idle(&fixture.dispatch);
    dispatch_end(&fixture.dispatch);
    cr_assert_geq(fixture.delivered, 3);
    for (unsigned i = 1; i < fixture.delivered; i++)
        cr_expect_geq(fixture.deliveries[i].now_ns, fixture.deliveries[i - 1].now_ns);
    cr_expect_eq(fixture.deliveries[fixture.delivered - 1].mark, BATCH_SOURCE_END);
    end(&fixture);
}

// Live, a shard that is behind costs packets, which are counted, but never stalls the source.
Test(dispatch_live, drops_and_counts_what_a_shard_cannot_take)
{
    struct dispatch_settings settings = file_settings();
    settings.lossless = false;
    settings.tick_ns = 3600 * NS_PER_S;
    begin(&fixture, settings, 4);
    fixture.behind = true;
    for (unsigned i = 0; i < 10; i++)
        feed(&fixture, 1, 0);
    cr_expect_eq(fixture.packets, 4, "the batch that was open");
    cr_expect_eq(fixture.totals.interface[0].lost[LOST_DISPATCH_QUEUE], 6);
    fixture.behind = false;
    feed(&fixture, 1, 0);
    dispatch_end(&fixture.dispatch);
    cr_expect_eq(fixture.packets, 5);
    cr_expect_eq(fixture.totals.interface[0].delivered, 11);
    cr_expect_eq(fixture.totals.interface[0].lost[LOST_DISPATCH_QUEUE], 6);
    end(&fixture);
}

// One shard that is behind costs its own packets, not those of the others.
Test(dispatch_live, drops_and_counts_only_what_is_the_shards_own)
{
    struct dispatch_settings settings = file_settings();
    settings.lossless = false;
    settings.shards = 2;
    begin(&fixture, settings, 4);
    fixture.refused = fixture.batch.behind = 1u << 1;
    for (uint16_t port = 1; port <= 100; port++)
        feed(&fixture, port, 0);
    dispatch_end(&fixture.dispatch);
    cr_expect(fixture.of_shard[0] > 20 && fixture.of_shard[1] == 0);
    cr_expect_eq(fixture.of_shard[0] + fixture.totals.interface[0].lost[LOST_DISPATCH_QUEUE], 100);
    end(&fixture);
}

Test(dispatch_live, lets_a_tick_ride_on_while_a_shard_is_behind)
{
    struct dispatch_settings settings = file_settings();
    settings.lossless = false;
    settings.tick_ns = NS_PER_MS;
    begin(&fixture, settings, 1);
    dispatch_idle(&fixture.dispatch);
    fixture.behind = true;
    feed(&fixture, 1, 0);
    feed(&fixture, 1, 0);
    cr_assert_null(fixture.dispatch.open);
    unsigned delivered = fixture.delivered;
    int64_t until_ns = fixture.dispatch.now_ns + 3 * NS_PER_MS;
    while (fixture.dispatch.now_ns < until_ns)
        dispatch_idle(&fixture.dispatch);
    cr_expect_eq(fixture.delivered, delivered);
    fixture.behind = false;
    dispatch_idle(&fixture.dispatch);
    cr_assert_eq(fixture.delivered, delivered + 1, "one tick for all that passed");
    cr_expect_eq(fixture.deliveries[delivered].mark, BATCH_TICK);
    dispatch_end(&fixture.dispatch);
    end(&fixture);
}

Test(dispatch_live, marks_the_tick_that_ends_an_interval)
{
    struct dispatch_settings settings = file_settings();
    settings.interval_ns = 120 * MS;
    begin(&fixture, settings, 100);
    unsigned intervals = 0;
    for (int64_t at_ns = 0; at_ns <= 600 * MS; at_ns += 10 * MS) {
        unsigned delivered = fixture.delivered;
        feed(&fixture, 1, at_ns);
        if (fixture.delivered == delivered || !fixture.totals.interval_end)
            continue;
        intervals++;
        cr_expect_eq(fixture.totals.interval_ns, 150 * MS, "the first tick behind 120 ms");
    }
    cr_expect_eq(intervals, 4);
    dispatch_end(&fixture.dispatch);
    end(&fixture);
}
