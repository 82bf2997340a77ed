#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "numbers_log.h"

static void *read_slowly(void *argument)
{
    struct event_reader *reader = argument;
    static struct reading reading;
    reading = (struct reading){.next = 1};
    while (read_run(reader, &reading, 1000))
        if (reading.next % 512 == 0)
            usleep(100);
    return &reading;
}

Test(event_reader, waits_for_a_reader_that_asks_for_it)
{
    struct event_log *log = make_log(20, false);
    struct event_reader *reader = event_reader_create(log, EVENTS_WAIT, EVENTS_FROM_NOW);
    struct event_reader *idle = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_NOW);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, read_slowly, reader), 0);
    put(log, 20000, 8);
    event_log_close(log);
    void *result;
    pthread_join(thread, &result);
    const struct reading *reading = result;
    cr_expect_eq(reading->events, 20000);
    cr_expect_eq(reading->missed, 0);
    cr_expect_eq(read_all(idle, 1).missed, 19980);
    event_reader_destroy(reader);
    event_reader_destroy(idle);
    event_log_destroy(log);
}

Test(event_reader, a_reader_that_ends_or_goes_holds_nobody_up)
{
    struct event_log *log = make_log(8, false);
    struct event_reader *ended = event_reader_create(log, EVENTS_WAIT, EVENTS_FROM_NOW);
    struct event_reader *gone = event_reader_create(log, EVENTS_WAIT, EVENTS_FROM_NOW);
    put(log, 3, 3);
    event_reader_end(ended);
    struct reading reading = {.next = 1};
    cr_expect_not(read_run(ended, &reading, 0) && read_run(ended, &reading, 0));
    cr_expect_eq(reading.events, 3);
    event_reader_destroy(gone);
    put(log, 1000, 8);
    event_reader_destroy(ended);
    event_log_destroy(log);
}

// The bar of the issue: many readers, half of which never read.
enum { READERS = 100, EVENTS = 200000, CAPACITY = 1024 };

struct reader_thread {
    struct event_reader *reader;
    struct reading reading;
    pthread_t thread;
};

static void *read_to_the_end(void *argument)
{
    struct reader_thread *own = argument;
    struct event_run run;
    own->reading.next = 1;
    for (bool more = true; more;) {
        more = event_reader_take(own->reader, 1000, &run);
        const struct number_block *block = (const struct number_block *)(const void *)run.block;
        own->reading.missed += run.missed;
        own->reading.next += run.missed;
        for (uint32_t i = run.begin; i < run.end; i++, own->reading.next++, own->reading.events++)
            if (block->events[i] != own->reading.next)
                abort();
    }
    return NULL;
}

Test(event_reader, counts_are_exact_for_a_hundred_readers_of_which_fifty_never_read, .timeout = 120)
{
    static struct reader_thread own[READERS];
    struct event_log *log = make_log(CAPACITY, false);
    for (unsigned i = 0; i < READERS; i++) {
        own[i].reader = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_NOW);
        cr_assert_not_null(own[i].reader);
        if (i % 2 == 0)
            cr_assert_eq(pthread_create(&own[i].thread, NULL, read_to_the_end, &own[i]), 0);
    }
    put(log, EVENTS, 8);
    event_log_close(log);
    for (unsigned i = 0; i < READERS; i++) {
        if (i % 2 == 0)
            pthread_join(own[i].thread, NULL);
        else
            own[i].reading = read_all(own[i].reader, 1);
        cr_expect_eq(own[i].reading.events + own[i].reading.missed, EVENTS, "reader %u", i);
        cr_expect_eq(event_reader_missed(own[i].reader), own[i].reading.missed, "reader %u", i);
        if (i % 2 != 0)
            cr_expect_eq(own[i].reading.events, CAPACITY, "reader %u", i);
        event_reader_destroy(own[i].reader);
    }
    cr_expect_leq(log->allocated, event_log_most_blocks(CAPACITY, BLOCK_EVENTS) + READERS);
    event_log_destroy(log);
}

Test(event_reader, is_pressed_by_who_reads_and_lags)
{
    struct event_reader *stream;
    struct event_log *log = make_read_log(100, &stream);
    struct event_run run;
    put(log, 60, 4);
    cr_expect_not(event_log_is_pressed(log), "streams slow nobody down");
    struct event_reader *reader = event_reader_create(log, EVENTS_DROP_UNTIL_END, EVENTS_FROM_NOW);
    put(log, 20, 4);
    cr_expect_not(event_log_is_pressed(log), "it does not lag");
    put(log, 40, 4);
    cr_expect(event_log_is_pressed(log));
    for (unsigned i = 0; i < EVENT_LOG_LOOKS; i++)
        event_log_is_pressed(log);
    cr_expect_not(event_log_is_pressed(log), "it does not read");
    cr_assert(event_reader_take(reader, 0, &run));
    cr_expect(event_log_is_pressed(log));
    while (run.block != NULL)
        cr_assert(event_reader_take(reader, 0, &run));
    cr_expect_not(event_log_is_pressed(log), "it has caught up");
    event_log_close(log);
    event_reader_destroy(reader);
    drop_read_log(log, stream);
}
