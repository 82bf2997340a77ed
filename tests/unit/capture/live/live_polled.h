// A live source that a thread polls as the pipeline does, while a test changes it.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "live/live_fixture.h"

struct polled {
    struct source *source;
    struct chunk_pool *pool;
    pthread_t thread;
    struct source_drops counted;
    atomic_uint frames;
    atomic_bool untold; // no tick comes: nobody asks for drops
    atomic_bool ended;
};

static const uint64_t WHATEVER = UINT64_MAX; // came, as long as all of it is accounted for

static inline void add_drops(struct source_drops *sum, const struct source_drops *drops)
{
    sum->received += drops->received;
    sum->kernel_dropped += drops->kernel_dropped;
    sum->delivered += drops->delivered;
    sum->no_chunk += drops->no_chunk;
    sum->unread += drops->unread;
    sum->exact &= drops->exact;
}

static inline void *poll_always(void *argument)
{
    struct polled *polled = argument;
    struct frame frames[64];
    enum source_result result = SOURCE_IDLE;
    while (result != SOURCE_END) {
        unsigned count;
        result = source_poll(polled->source, 20, frames, 64, &count);
        struct source_drops drops = {.exact = true};
        if (!atomic_load(&polled->untold))
            drops = take_drops(polled->source);
        add_drops(&polled->counted, &drops);
        atomic_fetch_add(&polled->frames, count);
    }
    atomic_store(&polled->ended, true);
    return NULL;
}

static inline void create(struct polled *polled, const struct capture_settings *settings)
{
    struct error error;
    *polled = (struct polled){.pool = chunk_pool_create(8, CHUNK_BYTES), .counted.exact = true};
    polled->source = live_source_create(settings, polled->pool, &error);
    cr_assert_not_null(polled->source, "%s", error.text);
}

static inline void poll_on(struct polled *polled)
{
    cr_assert_eq(pthread_create(&polled->thread, NULL, poll_always, polled), 0);
}

static inline void begin(struct polled *polled, const struct capture_settings *settings)
{
    create(polled, settings);
    poll_on(polled);
}

// Until so many frames came, or a while has passed.
static inline unsigned frames_of(struct polled *polled, unsigned wanted)
{
    for (int i = 0; i < 400 && atomic_load(&polled->frames) < wanted; i++)
        usleep(5000);
    return atomic_load(&polled->frames);
}

static inline void end(struct polled *polled, uint64_t delivered)
{
    source_stop(polled->source, true);
    pthread_join(polled->thread, NULL);
    const struct source_drops *counted = &polled->counted;
    if (delivered == WHATEVER)
        delivered = atomic_load(&polled->frames);
    cr_expect_eq(counted->delivered, delivered, "%lu delivered", (unsigned long)counted->delivered);
    if (counted->exact)
        cr_expect_eq(counted->received,
                     counted->delivered + counted->kernel_dropped + counted->no_chunk + counted->unread);
    source_destroy(polled->source);
    cr_expect_eq(chunk_pool_out(polled->pool), 0);
    chunk_pool_destroy(polled->pool);
}
