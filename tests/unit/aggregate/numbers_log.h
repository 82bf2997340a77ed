// An event log of numbers for its tests, what is put into it, and readers that check what they read.
#pragma once

#include <criterion/criterion.h>

#include "aggregate/event_log_parts.h"

// An event of these tests is its sequence number; a flow's would be as good.
enum { BLOCK_EVENTS = 8 };

struct number_block {
    struct event_block head;
    uint64_t events[BLOCK_EVENTS];
};

static inline struct event_log *make_log(uint64_t capacity, bool keep_history)
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

// A log that keeps no history, and a reader of all that comes.
static inline struct event_log *make_read_log(uint64_t capacity, struct event_reader **reader)
{
    struct event_log *log = make_log(capacity, false);
    *reader = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_NOW);
    cr_assert_not_null(*reader);
    return log;
}

static inline void drop_read_log(struct event_log *log, struct event_reader *reader)
{
    event_reader_destroy(reader);
    event_log_destroy(log);
}

// `count` events, published in runs of at most `run`.
static inline void put(struct event_log *log, unsigned count, unsigned run)
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

static inline bool read_run(struct event_reader *reader, struct reading *reading, unsigned timeout_ms)
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

static inline struct reading read_all(struct event_reader *reader, uint64_t from)
{
    struct reading reading = {.next = from};
    while (read_run(reader, &reading, 0)) {
    }
    return reading;
}
