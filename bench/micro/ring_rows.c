#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/record_ring.h"
#include "capture/clock.h"
#include "micro/rows.h"
#include "micro/series.h"

enum { RING_BYTES = 1 << 20, RECORD_BYTES = 320 };

struct producer {
    struct record_ring *ring;
    uint64_t records;
    uint32_t length;
};

static void *produce(void *argument)
{
    const struct producer *producer = argument;
    for (uint64_t i = 0; i < producer->records; i++) {
        void *place = record_ring_reserve(producer->ring, producer->length, true);
        memset(place, 0, producer->length);
        memcpy(place, &i, sizeof i);
        record_ring_commit(producer->ring);
    }
    record_ring_close(producer->ring);
    return NULL;
}

// Every record, in order.
static uint64_t consume(struct record_ring *ring)
{
    uint64_t expected = 0, number;
    uint32_t length;
    const void *record;
    while ((record = record_ring_peek(ring, &length, -1)) != NULL) {
        memcpy(&number, record, sizeof number);
        if (number != expected)
            micro_expect("record of the ring", number, expected);
        expected++;
        record_ring_release(ring);
    }
    return expected;
}

static double run_ring(uint64_t records, uint32_t length)
{
    pthread_t thread;
    struct producer producer = {record_ring_create(RING_BYTES), records, length};
    int64_t begin_ns = clock_now_ns();
    if (producer.ring == NULL || pthread_create(&thread, NULL, produce, &producer) != 0)
        micro_fail("no ring or no thread");
    uint64_t received = consume(producer.ring);
    pthread_join(thread, NULL);
    int64_t spent_ns = clock_now_ns() - begin_ns;
    record_ring_destroy(producer.ring);
    micro_expect("records", received, records);
    return (double)spent_ns / (double)records;
}

static void measure_length(const struct micro_options *options, uint32_t length)
{
    char name[64];
    struct series series = {0};
    for (unsigned i = 0; i < options->repetitions; i++)
        series_add(&series, run_ring(options->records, length));
    snprintf(name, sizeof name, "record ring, two threads, %u bytes", length);
    series_print(&series, name, "ns/record");
}

void measure_ring(const struct micro_options *options)
{
    measure_length(options, sizeof(void *)); // as batches travel
    measure_length(options, RECORD_BYTES);
}
