#include "base/record_ring.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void put(struct record_ring *ring, uint32_t length, uint8_t fill)
{
    void *record = record_ring_reserve(ring, length, false);
    cr_assert_not_null(record);
    memset(record, fill, length);
    record_ring_commit(ring);
}

static void expect(struct record_ring *ring, uint32_t length, uint8_t fill)
{
    uint32_t got;
    const uint8_t *record = record_ring_peek(ring, &got, 0);
    cr_assert_not_null(record);
    cr_assert_eq(got, length);
    for (uint32_t i = 0; i < length; i++)
        cr_assert_eq(record[i], fill);
    record_ring_release(ring);
}

Test(record_ring, records_come_out_whole_and_in_order_across_the_end)
{
    struct record_ring *ring = record_ring_create(4096);
    for (unsigned i = 0; i < 10000; i++) {
        put(ring, i % 700, (uint8_t)i);
        put(ring, (i * 7) % 900, (uint8_t)(i + 1));
        expect(ring, i % 700, (uint8_t)i);
        expect(ring, (i * 7) % 900, (uint8_t)(i + 1));
    }
    uint32_t length;
    cr_assert_null(record_ring_peek(ring, &length, 0));
    cr_assert_eq(record_ring_used(ring), 0);
    record_ring_destroy(ring);
}

Test(record_ring, a_full_ring_refuses_and_keeps_what_it_has)
{
    struct record_ring *ring = record_ring_create(4096);
    unsigned held = 0;
    for (; record_ring_reserve(ring, 100, false) != NULL; held++)
        record_ring_commit(ring);
    cr_assert_eq(held, 4096 / 112);
    cr_assert_null(record_ring_reserve(ring, 3000, true), "more than half never fits");
    uint32_t length;
    record_ring_peek(ring, &length, 0);
    record_ring_release(ring);
    cr_assert_not_null(record_ring_reserve(ring, 100, false));
    record_ring_destroy(ring);
}

Test(record_ring, the_close_ends_it_after_the_last_record)
{
    struct record_ring *ring = record_ring_create(4096);
    put(ring, 5, 5);
    record_ring_close(ring);
    cr_assert_not(record_ring_ended(ring));
    expect(ring, 5, 5);
    cr_assert(record_ring_ended(ring));
    uint32_t length;
    cr_assert_null(record_ring_peek(ring, &length, -1), "does not wait for ever");
    record_ring_destroy(ring);
}

enum { RECORDS = 300000 };

static void *produce(void *ring)
{
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint32_t length = 4 + i % 200;
        uint8_t *record = record_ring_reserve(ring, length, true);
        memset(record, (uint8_t)i, length);
        memcpy(record, &i, sizeof i);
        record_ring_commit(ring);
        if (i % 50000 == 0)
            usleep(2000); // lets the consumer fall asleep
    }
    record_ring_close(ring);
    return NULL;
}

Test(record_ring, two_threads_with_waiting_on_both_sides, .timeout = 60)
{
    struct record_ring *ring = record_ring_create(8192);
    pthread_t producer;
    cr_assert_eq(pthread_create(&producer, NULL, produce, ring), 0);
    uint32_t expected = 0;
    while (!record_ring_ended(ring)) {
        uint32_t length;
        const uint8_t *record = record_ring_peek(ring, &length, 100);
        if (record == NULL)
            continue;
        uint32_t number;
        memcpy(&number, record, sizeof number);
        cr_assert_eq(number, expected);
        cr_assert_eq(length, 4 + number % 200);
        cr_assert_eq(length == 4 ? (uint8_t)number : record[length - 1], (uint8_t)number);
        record_ring_release(ring);
        if (++expected % 70000 == 0)
            usleep(2000); // lets the ring fill
    }
    pthread_join(producer, NULL);
    cr_assert_eq(expected, RECORDS);
    record_ring_destroy(ring);
}

enum { FOR_EVER = -1, A_WHILE_MS = 30 };

static void *interrupt_later(void *ring)
{
    usleep(A_WHILE_MS * 1000); // the consumer waits by then, or will at once: both must end
    record_ring_interrupt(ring);
    return NULL;
}

Test(record_ring, an_interrupt_ends_the_wait_that_goes_on, .timeout = 20)
{
    struct record_ring *ring = record_ring_create(4096);
    pthread_t other;
    uint32_t length;
    cr_assert_eq(pthread_create(&other, NULL, interrupt_later, ring), 0);
    cr_expect_null(record_ring_peek(ring, &length, FOR_EVER));
    pthread_join(other, NULL);
    cr_expect_not(record_ring_ended(ring));
    put(ring, 5, 5);
    expect(ring, 5, 5);
    record_ring_destroy(ring);
}

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

Test(record_ring, an_interrupt_ends_the_next_wait_and_only_that, .timeout = 20)
{
    struct record_ring *ring = record_ring_create(4096);
    uint32_t length;
    record_ring_interrupt(ring);
    record_ring_interrupt(ring); // twice is as good as once
    cr_expect_null(record_ring_peek(ring, &length, 0), "a look is no wait");
    cr_expect_null(record_ring_peek(ring, &length, FOR_EVER));
    int64_t begin_ms = monotonic_ms();
    cr_expect_null(record_ring_peek(ring, &length, A_WHILE_MS));
    cr_expect_geq(monotonic_ms() - begin_ms, A_WHILE_MS - 1, "the second wait is a whole one");
    record_ring_destroy(ring);
}

Test(record_ring, an_interrupt_hides_no_record, .timeout = 20)
{
    struct record_ring *ring = record_ring_create(4096);
    uint32_t length;
    put(ring, 5, 5);
    record_ring_interrupt(ring);
    const uint8_t *record = record_ring_peek(ring, &length, FOR_EVER);
    cr_assert_not_null(record, "what is there needs no wait");
    cr_expect_eq(record[0], 5);
    record_ring_release(ring);
    cr_expect_null(record_ring_peek(ring, &length, FOR_EVER), "the interrupt is still due");
    put(ring, 6, 6);
    record_ring_close(ring);
    record_ring_interrupt(ring);
    expect(ring, 6, 6);
    cr_expect(record_ring_ended(ring));
    cr_expect_null(record_ring_peek(ring, &length, FOR_EVER));
    record_ring_destroy(ring);
}

static atomic_bool consumed;

static void *interrupt_always(void *ring)
{
    while (!atomic_load(&consumed)) {
        record_ring_interrupt(ring);
        usleep(50);
    }
    return NULL;
}

// Waits for ever, so that a lost wake-up hangs.
Test(record_ring, interrupts_lose_no_records, .timeout = 60)
{
    struct record_ring *ring = record_ring_create(8192);
    pthread_t producer, other;
    cr_assert_eq(pthread_create(&other, NULL, interrupt_always, ring), 0);
    cr_assert_eq(pthread_create(&producer, NULL, produce, ring), 0);
    uint32_t expected = 0, interrupted = 0;
    while (!record_ring_ended(ring)) {
        uint32_t length, number;
        const uint8_t *record = record_ring_peek(ring, &length, FOR_EVER);
        if (record == NULL) {
            interrupted++;
            continue;
        }
        memcpy(&number, record, sizeof number);
        cr_assert_eq(number, expected);
        cr_assert_eq(length, 4 + number % 200);
        record_ring_release(ring);
        expected++;
    }
    atomic_store(&consumed, true);
    pthread_join(producer, NULL);
    pthread_join(other, NULL);
    cr_expect_eq(expected, RECORDS);
    cr_expect_gt(interrupted, 0);
    record_ring_destroy(ring);
}

enum { TURNS = 100000 };

static atomic_uint turn; // odd: the consumer is about to wait

static void *interrupt_in_turn(void *ring)
{
    for (unsigned i = 0; i < TURNS; i++) {
        while (atomic_load(&turn) != 2 * i + 1)
            sched_yield();
        for (volatile unsigned spins = i % 64; spins > 0; spins--)
            ; // the consumer is a little further each time
        record_ring_interrupt(ring);
    }
    return NULL;
}

// One interrupt for each wait, at any moment of its: one that gets lost hangs.
Test(record_ring, no_interrupt_is_lost, .timeout = 60)
{
    struct record_ring *ring = record_ring_create(4096);
    pthread_t other;
    uint32_t length;
    cr_assert_eq(pthread_create(&other, NULL, interrupt_in_turn, ring), 0);
    for (unsigned i = 0; i < TURNS; i++) {
        atomic_store(&turn, 2 * i + 1);
        cr_assert_null(record_ring_peek(ring, &length, FOR_EVER));
        atomic_store(&turn, 2 * i + 2);
    }
    pthread_join(other, NULL);
    record_ring_destroy(ring);
}

enum { QUIET_ROUNDS = 2000, QUIET_RECORDS = 5 };

// Commits several records, then wakes once; now and then when the consumer has long been asleep.
static void *produce_quietly(void *ring)
{
    for (unsigned round = 0; round < QUIET_ROUNDS; round++) {
        if (round % 500 == 0)
            usleep(5000);
        for (unsigned i = 0; i < QUIET_RECORDS; i++) {
            unsigned number = round * QUIET_RECORDS + i;
            uint8_t *record = record_ring_reserve(ring, sizeof number, false);
            while (record == NULL) { // a producer wakes before it waits
                record_ring_wake(ring);
                record = record_ring_reserve(ring, sizeof number, true);
            }
            memcpy(record, &number, sizeof number);
            record_ring_commit_quietly(ring);
        }
        record_ring_wake(ring);
    }
    return NULL;
}

Test(record_ring, one_wake_announces_all_that_was_committed_quietly, .timeout = 60)
{
    struct record_ring *ring = record_ring_create(4096);
    pthread_t producer;
    cr_assert_eq(pthread_create(&producer, NULL, produce_quietly, ring), 0);
    for (unsigned expected = 0; expected < QUIET_ROUNDS * QUIET_RECORDS; expected++) {
        uint32_t length;
        unsigned number;
        const uint8_t *record = record_ring_peek(ring, &length, FOR_EVER);
        cr_assert_not_null(record);
        memcpy(&number, record, sizeof number);
        cr_assert_eq(number, expected);
        record_ring_release(ring);
    }
    pthread_join(producer, NULL);
    cr_expect_eq(record_ring_used(ring), 0);
    record_ring_destroy(ring);
}

Test(record_ring, what_was_committed_quietly_is_seen_without_a_wake)
{
    struct record_ring *ring = record_ring_create(4096);
    memset(record_ring_reserve(ring, 7, false), 7, 7);
    record_ring_commit_quietly(ring);
    expect(ring, 7, 7);
    record_ring_destroy(ring);
}
