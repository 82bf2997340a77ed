// A dispatch whose batches a test looks at.
#pragma once

#include "capture/record/tap.h"
#include "frames.h"
#include "pipeline/dispatch.h"
#include "pipeline/shard.h"

enum { SHARDS_MAX = 4, DELIVERIES = 256, MS = 1000000 };

// A batch as it was delivered.
struct delivery {
    unsigned packets;
    uint8_t mark;
    int64_t now_ns; // since FRAMES_START_NS
    uint64_t tick;
};

// A dispatch whose batches end here, empty again at once.
struct fixture {
    struct chunk_pool *pool;
    struct chunk *chunk;
    struct batch batch;
    struct totals totals;
    struct dispatch dispatch;
    struct delivery deliveries[DELIVERIES];
    unsigned delivered;
    bool behind;         // there is no empty batch
    uint32_t refused;    // shards that take no packets: batch.behind
    struct packet last;  // of the latest batch with packets
    struct flow_key key; // and its key
    uint64_t packets, misplaced, of_shard[SHARDS_MAX];
};

static inline void note_delivery(struct fixture *fixture, struct batch *batch)
{
    cr_assert_lt(fixture->delivered, DELIVERIES);
    fixture->deliveries[fixture->delivered++] = (struct delivery){
        .packets = batch->count,
        .mark = batch->mark,
        .now_ns = batch->now_ns - FRAMES_START_NS,
        .tick = batch->tick,
    };
    const struct dispatch_settings *settings = &fixture->dispatch.settings;
    for (unsigned i = 0; i < batch->count; i++) {
        const struct batch_item *item = &batch->items[i];
        unsigned partition = partition_of(batch->hash[i], settings->partitions);
        fixture->misplaced += partition % settings->shards != batch->shard[i];
        fixture->of_shard[batch->shard[i]]++;
        fixture->last = item->packet;
        fixture->key = item->key;
    }
    fixture->packets += batch->count;
    batch_clear(batch);
}

static inline struct batch *deliver(void *owner, struct batch *batch, bool wait)
{
    struct fixture *fixture = owner;
    if (batch != NULL)
        note_delivery(fixture, batch);
    fixture->batch.behind = fixture->refused;
    return fixture->behind && !wait ? NULL : &fixture->batch;
}

static inline struct dispatch_settings file_settings(void)
{
    return (struct dispatch_settings){.hash_seed = 5,
                                      .index_seed = 7,
                                      .shards = 1,
                                      .partitions = 64,
                                      .tick_ns = TICK_MS * MS,
                                      .lossless = true};
}

static inline void begin(struct fixture *fixture, struct dispatch_settings settings, unsigned batch)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->pool = chunk_pool_create(2, 65536);
    fixture->chunk = chunk_pool_take(fixture->pool, 0);
    cr_assert(batch_init(&fixture->batch, batch));
    cr_assert(
        dispatch_init(&fixture->dispatch, &settings, &fixture->batch, &fixture->totals, deliver, fixture));
}

static inline void end(struct fixture *fixture)
{
    dispatch_done(&fixture->dispatch);
    batch_done(&fixture->batch);
    chunk_release(fixture->chunk);
    cr_expect_eq(chunk_pool_out(fixture->pool), 0, "a batch keeps its chunk");
    chunk_pool_destroy(fixture->pool);
}

static inline void feed(struct fixture *fixture, uint16_t port, int64_t at_ns)
{
    struct frame frame = udp_frame(fixture->chunk, port, at_ns);
    cr_assert(dispatch_frame(&fixture->dispatch, &frame));
}

static inline void expect_delivery(const struct fixture *fixture, unsigned i, unsigned packets,
                                   enum batch_mark mark, int64_t now_ns)
{
    cr_assert_lt(i, fixture->delivered, "delivery %u", i);
    const struct delivery *delivery = &fixture->deliveries[i];
    cr_expect_eq(delivery->packets, packets, "delivery %u: %u packets", i, delivery->packets);
    cr_expect_eq(delivery->mark, mark, "delivery %u", i);
    if (mark != BATCH_PACKETS)
        cr_expect_eq(delivery->now_ns, now_ns, "delivery %u at %ld", i, delivery->now_ns);
}

// The last packets go ahead of the mark.
static inline void end_source(struct fixture *fixture, unsigned packets, int64_t now_ns)
{
    unsigned before = fixture->delivered;
    dispatch_end(&fixture->dispatch);
    cr_assert_eq(fixture->delivered, before + 2);
    expect_delivery(fixture, before, packets, BATCH_PACKETS, 0);
    expect_delivery(fixture, before + 1, 0, BATCH_SOURCE_END, now_ns);
}

static struct fixture fixture; // too large for the stack
