#include "aggregate/event_log.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

// An event of these tests is its sequence number; a flow's would be as good.
enum { BLOCK_EVENTS = 8 };

struct number_block {
    struct event_block head;
    uint64_t events[BLOCK_EVENTS];
};

static struct event_log *make_log(uint64_t capacity, bool keep_history)
{
    struct event_log_setup setup = {
        .capacity = capacity,
        .block_bytes = sizeof(struct number_block),
        .block_events = BLOCK_EVENTS,
        .keep_history = keep_history,
    };
    struct event_log *log = event_log_create(&setup);
    cr_assert_not_null(log);
    return log;
}

// `count` events, published in runs of at most `run`.
static void put(struct event_log *log, unsigned count, unsigned run)
{
    for (unsigned i = 0; i < count;) {
        struct number_block *block = (struct number_block *)(void *)event_log_open(log);
        cr_assert_not_null(block);
        for (unsigned j = 0; j < run && i < count && block->head.made < BLOCK_EVENTS; j++, i++) {
            block->events[block->head.made] = block->head.first + block->head.made;
            block->head.made++;
        }
        event_log_publish(log, true);
        if (block->head.made == BLOCK_EVENTS)
            event_log_shut(log);
    }
}

// Reads to the end, or until nothing comes. Every event must be the one that the gaps tell.
struct reading {
    uint64_t events, missed, next;
};

static bool read_run(struct event_reader *reader, struct reading *reading, unsigned timeout_ms)
{
    struct event_run run;
    bool more = event_reader_take(reader, timeout_ms, &run);
    const struct number_block *block = (const struct number_block *)(const void *)run.block;
    reading->missed += run.missed;
    reading->next += run.missed;
    for (uint32_t i = run.begin; i < run.end; i++) {
        cr_assert_eq(block->events[i], reading->next, "event %lu where %lu was due",
                     (unsigned long)block->events[i], (unsigned long)reading->next);
        reading->next++;
        reading->events++;
    }
    return more && (run.end > run.begin || run.missed > 0);
}

static struct reading read_all(struct event_reader *reader, uint64_t from)
{
    struct reading reading = {.next = from};
    while (read_run(reader, &reading, 0)) {
    }
    return reading;
}

Test(event_log, a_reader_gets_what_comes_after_it_came)
{
    struct event_log *log = make_log(100, false);
    put(log, 5, 3);
    struct event_reader *reader = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_NOW);
    put(log, 20, 3);
    struct reading reading = read_all(reader, 6);
    cr_expect_eq(reading.events, 20);
    cr_expect_eq(reading.missed, 0);
    cr_expect_eq(event_log_next(log), 26);
    event_reader_destroy(reader);
    event_log_destroy(log);
}

Test(event_log, a_reader_that_lags_too_far_is_told_exactly_what_it_missed)
{
    struct event_log *log = make_log(10, false);
    struct event_reader *reader = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_NOW);
    put(log, 10, 1);
    put(log, 1, 1);
    struct reading reading = read_all(reader, 1);
    cr_expect_eq(reading.missed, 1);
    cr_expect_eq(reading.events, 10);
    put(log, 1000, 5);
    reading = read_all(reader, reading.next);
    cr_expect_eq(reading.missed, 990);
    cr_expect_eq(reading.events, 10);
    cr_expect_eq(event_reader_missed(reader), 991);
    event_reader_destroy(reader);
    event_log_destroy(log);
}

Test(event_log, history_is_kept_when_it_is_asked_for)
{
    struct event_log *log = make_log(10, true), *other = make_log(10, false);
    put(log, 100, 7);
    put(other, 100, 7);
    struct event_reader *reader = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_OLDEST);
    struct event_reader *late = event_reader_create(log, EVENTS_DROP, 51);
    struct event_reader *none = event_reader_create(other, EVENTS_DROP, EVENTS_FROM_OLDEST);
    struct reading reading = read_all(reader, 91);
    cr_expect_eq(reading.events, 10);
    cr_expect_eq(reading.missed, 0);
    reading = read_all(late, 51);
    cr_expect_eq(reading.events, 10);
    cr_expect_eq(reading.missed, 40);
    reading = read_all(none, event_log_next(other) - 100 % BLOCK_EVENTS);
    cr_expect_leq(reading.events, BLOCK_EVENTS,
                  "nobody read: at most the block that is being filled is there");
    event_reader_destroy(reader);
    event_reader_destroy(late);
    event_reader_destroy(none);
    event_log_destroy(log);
    event_log_destroy(other);
}

Test(event_log, what_could_not_be_made_is_missed)
{
    struct event_log *log = make_log(100, false);
    struct event_reader *reader = event_reader_create(log, EVENTS_WAIT, EVENTS_FROM_NOW);
    put(log, 3, 3);
    event_log_skip(log, 2);
    put(log, 3, 3);
    event_log_skip(log, 4);
    event_log_close(log);
    struct reading reading = read_all(reader, 1);
    cr_expect_eq(reading.events, 6);
    cr_expect_eq(reading.missed, 6);
    struct event_run run;
    cr_expect_not(event_reader_take(reader, 1000, &run));
    event_reader_destroy(reader);
    event_log_destroy(log);
}

Test(event_log, what_could_not_be_made_is_missed_also_where_a_reader_ends)
{
    struct event_log *log = make_log(100, false);
    struct event_reader *reader = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_NOW);
    put(log, BLOCK_EVENTS, BLOCK_EVENTS);
    event_log_skip(log, 5);
    event_reader_end(reader);
    put(log, 3, 3);
    struct reading reading = read_all(reader, 1);
    cr_expect_eq(reading.events, BLOCK_EVENTS);
    cr_expect_eq(reading.missed, 5);
    struct event_run run;
    cr_expect_not(event_reader_take(reader, 0, &run));
    event_reader_destroy(reader);
    event_log_destroy(log);
}

Test(event_log, what_could_not_be_made_is_missed_where_nothing_follows)
{
    struct event_log *log = make_log(100, false);
    struct event_reader *reader = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_NOW);
    event_log_skip(log, 5);
    cr_assert_not_null(event_log_open(log));
    struct event_run run;
    cr_assert(event_reader_take(reader, 0, &run));
    cr_expect_null(run.block);
    cr_expect_eq(run.missed, 5);
    cr_expect_eq(event_reader_missed(reader), 5);
    event_reader_destroy(reader);
    event_log_destroy(log);
}

// Blocks of few events, as long texts make them: they go by their own bound, before the capacity is reached.
Test(event_log, a_reader_that_ended_gets_nothing_from_behind_its_end)
{
    enum { FEW = 2 };
    struct event_log *log = make_log(8 * BLOCK_EVENTS, false);
    struct event_reader *reader = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_NOW);
    for (unsigned block = 0; block < 30; block++) {
        put(log, FEW, FEW);
        event_log_shut(log);
        if (block == 3)
            event_reader_end(reader);
    }
    struct event_run run;
    cr_expect_not(event_reader_take(reader, 0, &run) && event_reader_take(reader, 0, &run));
    cr_expect_null(run.block);
    cr_expect_eq(event_reader_missed(reader), 4 * FEW);
    event_reader_destroy(reader);
    event_log_destroy(log);
}

// An event that readers must not see yet is 0.
static uint64_t *put_unfinished(struct event_log *log)
{
    struct number_block *block = (struct number_block *)(void *)event_log_open(log);
    cr_assert_not_null(block);
    if (block->head.made == BLOCK_EVENTS) {
        event_log_shut(log);
        return put_unfinished(log);
    }
    block->events[block->head.made] = 0;
    return &block->events[block->head.made++];
}

Test(event_log, only_what_is_finished_is_out_for_readers)
{
    struct event_log *log = make_log(100, false);
    put_unfinished(log);
    cr_expect(event_log_publish(log, false), "nobody reads");
    cr_expect_eq(event_log_next(log), 2);
    uint64_t *event = put_unfinished(log); // and now somebody comes
    struct event_reader *now = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_NOW);
    struct event_reader *oldest = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_OLDEST);
    struct event_reader *first = event_reader_create(log, EVENTS_DROP, 1);
    cr_expect_not(event_log_publish(log, false));
    cr_expect_eq(event_log_next(log), 2, "nothing is out");
    *event = 2;
    cr_expect(event_log_publish(log, true));
    cr_expect_eq(read_all(now, 2).events, 1);
    cr_expect_eq(read_all(oldest, 2).events, 1);
    struct reading reading = read_all(first, 1);
    cr_expect(reading.events == 1 && reading.missed == 1, "the first one never was finished");
    event_reader_destroy(now);
    event_reader_destroy(oldest);
    event_reader_destroy(first);
    event_log_destroy(log);
}

static void *come_and_go(void *argument)
{
    struct event_log *log = argument;
    for (unsigned i = 0; i < 2000; i++) {
        struct event_reader *reader =
            event_reader_create(log, EVENTS_DROP, i % 2 == 0 ? EVENTS_FROM_NOW : EVENTS_FROM_OLDEST);
        struct event_run run;
        event_reader_take(reader, 1, &run);
        const struct number_block *block = (const struct number_block *)(const void *)run.block;
        for (uint32_t event = run.begin; event < run.end; event++)
            if (block->events[event] == 0)
                abort();
        event_reader_destroy(reader);
    }
    return NULL;
}

Test(event_log, readers_that_come_at_any_time_see_only_what_is_finished, .timeout = 60)
{
    struct event_log *log = make_log(100, false);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, come_and_go, log), 0);
    while (pthread_tryjoin_np(thread, NULL) != 0) {
        uint64_t *event = put_unfinished(log);
        if (!event_log_publish(log, false)) {
            *event = 1;
            cr_assert(event_log_publish(log, true));
        }
    }
    event_log_destroy(log);
}

// Two logs of different events: what floods one pushes nothing out of the other.
Test(event_log, a_flood_in_one_log_leaves_the_other_alone)
{
    struct event_log *flows = make_log(16, true), *alerts = make_log(16, true);
    put(alerts, 3, 1);
    put(flows, 100000, 8);
    struct event_reader *reader = event_reader_create(alerts, EVENTS_DROP, EVENTS_FROM_OLDEST);
    cr_expect_eq(read_all(reader, 1).events, 3);
    event_reader_destroy(reader);
    event_log_destroy(flows);
    event_log_destroy(alerts);
}

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

Test(event_log, waits_for_a_reader_that_asks_for_it)
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

Test(event_log, a_reader_that_ends_or_goes_holds_nobody_up)
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

Test(event_log, counts_are_exact_for_a_hundred_readers_of_which_fifty_never_read, .timeout = 120)
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
    cr_expect_leq(event_log_held_blocks(log), event_log_most_blocks(CAPACITY, BLOCK_EVENTS) + READERS);
    event_log_destroy(log);
}

Test(event_log, is_pressed_by_who_reads_and_lags)
{
    struct event_log *log = make_log(100, false);
    struct event_reader *reader = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_NOW);
    struct event_run run;
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
    event_log_destroy(log);
}
