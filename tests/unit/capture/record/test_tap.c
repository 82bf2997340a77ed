#include "capture/record/tap.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Sums up what it gets; may be told to hold still.
struct summer {
    struct tap_consumer consumer;
    uint64_t frames, bytes, last_number;
    bool in_order;
    atomic_bool hold, flushed;
    bool fails;
    bool *destroyed;
};

static bool summer_packet(struct tap_consumer *consumer, const struct frame *frame, uint64_t number)
{
    struct summer *summer = (struct summer *)consumer;
    while (atomic_load(&summer->hold))
        usleep(1000);
    summer->frames++;
    for (uint32_t i = 0; i < frame->captured; i++)
        summer->bytes += frame->bytes[i];
    summer->in_order = summer->in_order && number > summer->last_number && frame->chunk == NULL;
    summer->last_number = number;
    return number % 10 != 0 || !summer->fails;
}

static void summer_flush(struct tap_consumer *consumer)
{
    atomic_store(&((struct summer *)consumer)->flushed, true);
}

static bool summer_finish(struct tap_consumer *consumer, uint64_t *unwritten, struct error *error)
{
    const struct summer *summer = (const struct summer *)consumer;
    *unwritten = summer->fails ? 3 : 0;
    return !summer->fails || error_set(error, ERROR_UNAVAILABLE, "it fails");
}

static void summer_destroy(struct tap_consumer *consumer)
{
    *((struct summer *)consumer)->destroyed = true;
    free(consumer);
}

static const struct tap_consumer_ops summer_ops = {
    .name = "summer",
    .packet = summer_packet,
    .flush = summer_flush,
    .finish = summer_finish,
    .destroy = summer_destroy,
};

static struct summer *summer_create(bool *destroyed)
{
    struct summer *summer = calloc(1, sizeof *summer);
    summer->consumer.ops = &summer_ops;
    summer->in_order = true;
    summer->destroyed = destroyed;
    return summer;
}

static uint8_t ones[1500];

static struct frame frame_of(uint32_t captured)
{
    memset(ones, 1, sizeof ones);
    return (struct frame){.bytes = ones, .captured = captured, .length = captured};
}

Test(tap, waiting_producer_loses_nothing, .timeout = 30)
{
    bool destroyed = false;
    struct summer *summer = summer_create(&destroyed);
    struct error error;
    struct tap *tap = tap_create(&summer->consumer, 8192, &error);
    uint64_t bytes = 0;
    for (uint64_t number = 1; number <= 50000; number++) {
        struct frame frame = frame_of((uint32_t)(number % 1400));
        cr_assert(tap_offer(tap, &frame, number, true));
        bytes += frame.captured;
    }
    cr_assert(tap_finish(tap, &error));
    cr_assert_eq(summer->frames, 50000);
    cr_assert_eq(summer->bytes, bytes);
    cr_assert(summer->in_order);
    cr_assert_eq(tap_counts(tap).written, 50000);
    tap_destroy(tap);
    cr_assert(destroyed);
}

Test(tap, a_full_ring_drops_and_counts, .timeout = 30)
{
    bool destroyed = false;
    struct summer *summer = summer_create(&destroyed);
    atomic_store(&summer->hold, true);
    struct error error;
    struct tap *tap = tap_create(&summer->consumer, 8192, &error);
    struct frame frame = frame_of(1000);
    for (uint64_t number = 1; number <= 100; number++)
        tap_offer(tap, &frame, number, false);
    struct tap_counts counts = tap_counts(tap);
    cr_assert(counts.dropped > 80 && counts.dropped < 100, "%lu", (unsigned long)counts.dropped);
    atomic_store(&summer->hold, false);
    cr_assert_not(tap_finish(tap, &error), "dropped packets are an incomplete output");
    counts = tap_counts(tap);
    cr_assert_eq(counts.offered, 100);
    cr_assert_eq(counts.offered, counts.dropped + counts.written);
    cr_assert_eq(counts.written, summer->frames);
    tap_destroy(tap);
}

Test(tap, failures_of_the_consumer_are_counted_and_told, .timeout = 30)
{
    bool destroyed = false;
    struct summer *summer = summer_create(&destroyed);
    summer->fails = true;
    struct error error;
    struct tap *tap = tap_create(&summer->consumer, 65536, &error);
    struct frame frame = frame_of(60);
    for (uint64_t number = 1; number <= 100; number++)
        tap_offer(tap, &frame, number, true);
    cr_assert_not(tap_finish(tap, &error));
    cr_assert_str_eq(error.text, "it fails");
    struct tap_counts counts = tap_counts(tap);
    cr_assert_eq(counts.failed, 13, "ten at once, three at the end");
    cr_assert_eq(counts.written, 87);
    tap_destroy(tap);
}

Test(tap, a_lull_flushes, .timeout = 30)
{
    bool destroyed = false;
    struct summer *summer = summer_create(&destroyed);
    struct error error;
    struct tap *tap = tap_create(&summer->consumer, 65536, &error);
    struct frame frame = frame_of(60);
    tap_offer(tap, &frame, 1, true);
    int waited_ms = 0;
    for (; !atomic_load(&summer->flushed) && waited_ms < 5000; waited_ms += 10)
        usleep(10000);
    cr_assert_lt(waited_ms, 900);
    tap_destroy(tap);
    cr_assert(destroyed, "destroy finishes too");
}

// Takes frames itself, those with even numbers and their first ten bytes.
struct chooser {
    struct tap_consumer consumer;
};

static bool wants_even(struct tap_consumer *consumer, const struct frame *frame, uint64_t number,
                       uint32_t *captured)
{
    (void)consumer;
    cr_expect_eq(*captured, frame->captured);
    *captured = *captured < 10 ? *captured : 10;
    return number % 2 == 0;
}

static void keep(struct tap_consumer *consumer)
{
    (void)consumer;
}

Test(tap, owner_takes_what_it_wants_and_nobody_waits, .timeout = 30)
{
    static const struct tap_consumer_ops ops = {
        .name = "chooser", .never_waited_for = true, .wants = wants_even, .destroy = keep};
    struct chooser chooser = {{&ops}};
    struct error error;
    struct tap *tap = tap_create(&chooser.consumer, 4096, &error);
    struct frame frame, sent = frame_of(100);
    uint64_t number, taken = 0;
    cr_assert_not_null(tap);
    cr_expect_not(tap_take(tap, &frame, &number));
    for (uint64_t i = 1; i <= 1000; i++)
        cr_expect(tap_offer(tap, &sent, i, true) <= (i % 2 == 0), "%lu", (unsigned long)i);
    struct tap_counts counts = tap_counts(tap);
    cr_expect_eq(counts.offered, 500, "what is not wanted is not counted");
    cr_expect_gt(counts.dropped, 0);
    for (; tap_take(tap, &frame, &number); taken++) {
        cr_expect_eq(number, 2 * (taken + 1), "the oldest are kept");
        cr_expect_eq(frame.captured, 10);
        cr_expect_eq(frame.length, 100);
        tap_release(tap);
    }
    cr_expect_eq(taken + counts.dropped, 500);
    cr_expect_eq(tap_counts(tap).written, taken);
    tap_destroy(tap);
}
