// The flow table as a shard drives it: hits, inserts, growth; and a whole shard.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "micro/feed.h"
#include "micro/rows.h"
#include "micro/series.h"

enum {
    TICK_PACKETS = 65536,
    NAME_BYTES = 64,
    FIRST_STEPS = CONVERSATION_HANDSHAKE + CONVERSATION_EXCHANGE, // after them a flow has all its parts
};

static struct feed *start_feed(bool names)
{
    struct feed *feed = malloc(sizeof *feed);
    if (feed == NULL)
        micro_fail("no memory for a batch");
    feed_init(feed, names);
    return feed;
}

static void end_feed(struct feed *feed)
{
    feed_done(feed);
    free(feed);
}

static void expect_totals(struct feed *feed, uint64_t flows)
{
    shard_tick(feed->shard, feed->now_ns, false, false, &feed->report);
    micro_expect("active flows", shard_totals(feed->shard)->flows_active, flows);
    micro_expect("packets analysed", shard_totals(feed->shard)->analysed, feed->number);
}

// Every round is a packet a flow, after the handshake and the first exchange.
static double measure_hits(uint64_t flows, unsigned rounds)
{
    struct series series = {0};
    struct feed *feed = start_feed(false);
    for (unsigned step = 0; step < FIRST_STEPS; step++)
        feed_round(feed, flows, step);
    for (unsigned i = 0; i < rounds; i++)
        series_add(&series, feed_round(feed, flows, FIRST_STEPS + i));
    expect_totals(feed, flows);
    end_feed(feed);
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "table hit, %" PRIu64 " flows", flows);
    return series_print(&series, name, "ns/packet");
}

void measure_hit(const struct micro_options *options)
{
    double few = measure_hits(options->few_flows, options->repetitions * 4);
    double many = measure_hits(options->many_flows, options->repetitions);
    figure_print("table hit, many flows against few", many / few, "times");
}

void measure_insert(const struct micro_options *options)
{
    struct series series = {0};
    for (unsigned i = 0; i < options->repetitions; i++) {
        struct feed *feed = start_feed(false);
        series_add(&series, feed_round(feed, options->new_flows, 0));
        expect_totals(feed, options->new_flows);
        end_feed(feed);
    }
    series_print(&series, "table insert", "ns/flow");
}

struct growth {
    double *wall_us, *thread_us; // a batch
    size_t count;
};

static void grow(struct feed *feed, struct growth *growth, uint64_t flows)
{
    for (uint64_t flow = 0; flow < flows; flow++) {
        feed_conversation(feed, flow, 0);
        if (!feed_full(feed) && flow + 1 < flows)
            continue;
        feed_send(feed);
        growth->wall_us[growth->count] = (double)feed->batch_ns / 1e3;
        growth->thread_us[growth->count++] = (double)feed->thread_ns / 1e3;
    }
}

static void print_growth(const char *clock, double *values_us, size_t count)
{
    char name[NAME_BYTES];
    qsort(values_us, count, sizeof *values_us, compare_doubles);
    snprintf(name, sizeof name, "growth, longest batch of %d, %s", FEED_BATCH, clock);
    figure_print(name, values_us[count - 1] / 1e3, "ms");
    snprintf(name, sizeof name, "growth, 99.99th percentile, %s", clock);
    figure_print(name, values_us[(size_t)((double)(count - 1) * 0.9999)] / 1e3, "ms");
    snprintf(name, sizeof name, "growth, median batch, %s", clock);
    figure_print(name, values_us[count / 2] / 1e3, "ms");
}

void measure_growth(const struct micro_options *options)
{
    size_t batches = options->growth_flows / FEED_BATCH + 1;
    struct growth growth = {calloc(batches, sizeof(double)), calloc(batches, sizeof(double)), 0};
    if (growth.wall_us == NULL || growth.thread_us == NULL)
        micro_fail("no memory for %zu batches", batches);
    struct feed *feed = start_feed(false);
    grow(feed, &growth, options->growth_flows);
    expect_totals(feed, options->growth_flows);
    figure_print("growth, flows in the table", (double)options->growth_flows, "");
    print_growth("wall clock", growth.wall_us, growth.count);
    print_growth("thread clock", growth.thread_us, growth.count);
    end_feed(feed);
    free(growth.wall_us);
    free(growth.thread_us);
}

static double run_shard(const struct frame_set *set)
{
    struct feed *feed = start_feed(true);
    uint64_t ended = 0;
    for (size_t i = 0; i < set->count; i++) {
        feed_frame(feed, &set->frames[i], set->bytes + set->frames[i].offset);
        if (feed_full(feed) || i + 1 == set->count)
            feed_send(feed);
        if (i % TICK_PACKETS == TICK_PACKETS - 1)
            ended += feed_tick(feed, false);
    }
    ended += feed_tick(feed, true);
    micro_expect("packets analysed", shard_totals(feed->shard)->analysed, set->count);
    micro_expect("flows ended", ended, shard_totals(feed->shard)->flows_created);
    double cost_ns = (double)feed->spent_ns / (double)set->count;
    end_feed(feed);
    return cost_ns;
}

void measure_shard(const struct micro_options *options)
{
    struct series series = {0};
    for (unsigned i = 0; i < options->repetitions; i++)
        series_add(&series, run_shard(options->frames));
    series_print(&series, "whole shard, ticks and names included", "ns/packet");
}
