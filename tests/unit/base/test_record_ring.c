#include "base/record_ring.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
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

enum { FOR_EVER = -1 };

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

Test(record_ring, to_release_what_was_not_looked_at_is_a_bug, .signal = SIGABRT)
{
    struct record_ring *ring = record_ring_create(4096);
    memset(record_ring_reserve(ring, 7, false), 7, 7);
    record_ring_commit(ring);
    record_ring_release(ring);
}
