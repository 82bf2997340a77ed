#include <pthread.h>
#include <stdatomic.h>

#include "base/bell.h"
#include "numbers_log.h"

Test(event_log, a_reader_gets_what_comes_after_it_came)
{
    struct event_log *log = make_log(100, false);
    put(log, 5, 3);
    struct event_reader *reader = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_NOW);
    put(log, 20, 3);
    struct reading reading = read_all(reader, 6);
    cr_expect_eq(reading.events, 20);
    cr_expect_eq(reading.missed, 0);
    cr_expect_eq(log->next, 26);
    drop_read_log(log, reader);
}

Test(event_log, a_bell_rings_when_something_is_out_and_at_the_end)
{
    struct event_reader *reader, *other;
    struct bell bell = {0};
    struct event_log *log = make_read_log(100, &reader);
    other = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_NOW);
    event_reader_ring(reader, &bell);
    event_reader_ring(other, &bell);
    event_log_wake(log);
    cr_expect_eq(bell_count(&bell), 0, "nothing is out");
    cr_expect_not(event_log_is_ahead(log, 1));
    put(log, 3, 3);
    event_log_wake(log);
    cr_expect_eq(bell_count(&bell), 1, "once for both");
    cr_expect(event_log_is_ahead(log, 3));
    cr_expect_not(event_log_is_ahead(log, 4));
    event_reader_destroy(other);
    event_log_close(log);
    cr_expect_eq(bell_count(&bell), 2);
    cr_expect(event_log_is_ahead(log, 4), "there is its end");
    drop_read_log(log, reader);
}

Test(event_log, a_reader_that_lags_too_far_is_told_exactly_what_it_missed)
{
    struct event_reader *reader;
    struct event_log *log = make_read_log(10, &reader);
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
    drop_read_log(log, reader);
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
    reading = read_all(none, other->next - 100 % BLOCK_EVENTS);
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
    drop_read_log(log, reader);
}

Test(event_log, what_could_not_be_made_is_missed_also_where_a_reader_ends)
{
    struct event_reader *reader;
    struct event_log *log = make_read_log(100, &reader);
    put(log, BLOCK_EVENTS, BLOCK_EVENTS);
    event_log_skip(log, 5);
    event_reader_end(reader);
    put(log, 3, 3);
    struct reading reading = read_all(reader, 1);
    cr_expect_eq(reading.events, BLOCK_EVENTS);
    cr_expect_eq(reading.missed, 5);
    struct event_run run;
    cr_expect_not(event_reader_take(reader, 0, &run));
    drop_read_log(log, reader);
}

Test(event_log, what_could_not_be_made_is_missed_where_nothing_follows)
{
    struct event_reader *reader;
    struct event_log *log = make_read_log(100, &reader);
    event_log_skip(log, 5);
    cr_assert_not_null(event_log_open(log));
    struct event_run run;
    cr_assert(event_reader_take(reader, 0, &run));
    cr_expect_null(run.block);
    cr_expect_eq(run.missed, 5);
    cr_expect_eq(event_reader_missed(reader), 5);
    drop_read_log(log, reader);
}

// Blocks of few events, as long texts make them: they go by their own bound, before the capacity is reached.
Test(event_log, a_reader_that_ended_gets_nothing_from_behind_its_end)
{
    enum { FEW = 2 };
    struct event_reader *reader;
    struct event_log *log = make_read_log(8 * BLOCK_EVENTS, &reader);
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
    drop_read_log(log, reader);
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
    cr_expect_eq(log->next, 2);
    uint64_t *event = put_unfinished(log); // and now somebody comes
    struct event_reader *now = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_NOW);
    struct event_reader *oldest = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_OLDEST);
    struct event_reader *first = event_reader_create(log, EVENTS_DROP, 1);
    cr_expect_not(event_log_publish(log, false));
    cr_expect_eq(log->next, 2, "nothing is out");
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
