#include "pipeline/batch_ring.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { BATCHES = 6, PACKETS = 4, FOR_EVER = -1 };

static struct batch *send(struct batch_ring *ring)
{
    cr_assert(batch_ring_is_ready(ring));
    struct batch *batch = batch_ring_take(ring);
    latch_close(&batch->done, 1);
    return batch;
}

static void give_back(struct batch *batch)
{
    cr_assert(latch_arrive(&batch->done));
    latch_open(&batch->done);
}

Test(batch_ring, gives_every_batch_in_turn)
{
    struct batch_ring ring;
    cr_assert(batch_ring_init(&ring, BATCHES, PACKETS));
    struct batch *first[BATCHES];
    for (unsigned i = 0; i < BATCHES; i++) {
        first[i] = send(&ring);
        cr_expect_eq(first[i]->capacity, PACKETS);
        for (unsigned other = 0; other < i; other++)
            cr_expect_neq(first[other], first[i]);
    }
    cr_expect_not(batch_ring_is_ready(&ring), "all are out");
    for (unsigned i = 0; i < BATCHES; i++) {
        give_back(first[i]);
        cr_expect_eq(send(&ring), first[i], "the oldest");
    }
    for (unsigned i = 0; i < BATCHES; i++)
        give_back(first[i]);
    batch_ring_done(&ring);
}

Test(batch_ring, waits_no_longer_than_it_is_told)
{
    struct batch_ring ring;
    cr_assert(batch_ring_init(&ring, BATCHES, PACKETS));
    struct batch *sent[BATCHES];
    for (unsigned i = 0; i < BATCHES; i++)
        sent[i] = send(&ring);
    cr_expect_not(batch_ring_wait(&ring, 0));
    cr_expect_not(batch_ring_wait(&ring, 5));
    give_back(sent[0]);
    cr_expect(batch_ring_wait(&ring, 0));
    cr_expect(batch_ring_is_ready(&ring));
    batch_ring_done(&ring);
}

struct giver {
    struct batch *sent[BATCHES];
    atomic_uint given;
};

static void *give_slowly(void *argument)
{
    struct giver *giver = argument;
    for (unsigned i = 0; i < BATCHES; i++) {
        usleep(5000);
        atomic_fetch_add(&giver->given, 1);
        give_back(giver->sent[i]);
    }
    return NULL;
}

// From the first batch to the one half a ring further on: so many are empty when the wait is over.
Test(batch_ring, waits_for_half_of_them, .timeout = 20)
{
    struct batch_ring ring;
    struct giver giver = {0};
    cr_assert(batch_ring_init(&ring, BATCHES, PACKETS));
    for (unsigned i = 0; i < BATCHES; i++)
        giver.sent[i] = send(&ring);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, give_slowly, &giver), 0);
    cr_expect(batch_ring_wait(&ring, FOR_EVER));
    cr_expect_geq(atomic_load(&giver.given), BATCHES / 2);
    for (unsigned i = 0; i < BATCHES / 2; i++)
        cr_expect_eq(send(&ring), giver.sent[i]);
    pthread_join(thread, NULL);
    batch_ring_done(&ring);
}

Test(batch_ring, of_one_batch_waits_for_it)
{
    struct batch_ring ring;
    cr_assert(batch_ring_init(&ring, 1, PACKETS));
    struct batch *only = send(&ring);
    cr_expect_not(batch_ring_wait(&ring, 1));
    give_back(only);
    cr_expect(batch_ring_wait(&ring, FOR_EVER));
    cr_expect_eq(batch_ring_take(&ring), only);
    batch_ring_done(&ring);
    batch_ring_done(&ring); // ends nothing
}
