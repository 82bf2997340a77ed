#include <assert.h>
#include <stdlib.h>

#include "aggregate/event_log_parts.h"
#include "base/time.h"

struct event_reader *event_reader_create(struct event_log *log, enum event_policy policy, uint64_t from)
{
    struct event_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return NULL;
    pthread_mutex_lock(&log->lock);
    *reader = (struct event_reader){.log = log, .next = log->readers, .policy = policy, .end = UINT64_MAX};
    uint64_t oldest = log->count > 0 ? event_log_block(log, 0)->first : log->next;
    if (from == EVENTS_FROM_OLDEST)
        from = oldest > event_log_oldest_kept(log) ? oldest : event_log_oldest_kept(log);
    reader->cursor = from < log->next ? from : log->next;
    log->readers = reader;
    atomic_store_explicit(&log->read, true, memory_order_relaxed);
    pthread_mutex_unlock(&log->lock);
    return reader;
}

static void let_go_run(struct event_reader *reader)
{
    if (reader->held != NULL)
        event_log_let_go(reader->log, reader->held);
    reader->held = NULL;
}

void event_reader_destroy(struct event_reader *reader)
{
    if (reader == NULL)
        return;
    struct event_log *log = reader->log;
    pthread_mutex_lock(&log->lock);
    struct event_reader **link = &log->readers;
    while (*link != reader)
        link = &(*link)->next;
    *link = reader->next;
    let_go_run(reader);
    event_log_trim(log);
    atomic_store_explicit(&log->read, log->readers != NULL || log->setup.keep_history, memory_order_relaxed);
    pthread_cond_signal(&log->passed);
    pthread_mutex_unlock(&log->lock);
    free(reader);
}

void event_reader_ring(struct event_reader *reader, struct bell *bell)
{
    pthread_mutex_lock(&reader->log->lock);
    reader->bell = bell;
    pthread_mutex_unlock(&reader->log->lock);
}

static struct timespec after_ms(unsigned timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + timeout_ms * NS_PER_MS;
    until.tv_sec += nanoseconds / NS_PER_S;
    until.tv_nsec = nanoseconds % NS_PER_S;
    return until;
}

// Where the reader's events end.
static uint64_t end_for(const struct event_reader *reader)
{
    return reader->log->next < reader->end ? reader->log->next : reader->end;
}

static bool is_over(const struct event_reader *reader)
{
    return reader->cursor >= end_for(reader) && (reader->log->closed || reader->cursor >= reader->end);
}

static void await_events(struct event_reader *reader, unsigned timeout_ms)
{
    struct event_log *log = reader->log;
    struct timespec until = after_ms(timeout_ms);
    int result = 0;
    log->sleepers++;
    while (result == 0 && reader->cursor >= end_for(reader) && !is_over(reader))
        result = pthread_cond_timedwait(&log->published, &log->lock, &until);
    log->sleepers--;
}

// The first block that holds events from the cursor on; NULL when there is none.
static struct event_block *find_block(const struct event_log *log, uint64_t cursor)
{
    size_t from = 0, to = log->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct event_block *block = event_log_block(log, middle);
        if (block->first + block->out <= cursor)
            from = middle + 1;
        else
            to = middle;
    }
    return from < log->count ? event_log_block(log, from) : NULL;
}

static void move_to(struct event_reader *reader, uint64_t cursor, struct event_run *run)
{
    if (cursor <= reader->cursor)
        return;
    run->missed += cursor - reader->cursor;
    reader->missed += cursor - reader->cursor;
    reader->cursor = cursor;
}

static void take_run(struct event_reader *reader, struct event_run *run)
{
    struct event_log *log = reader->log;
    uint64_t end = end_for(reader);
    uint64_t from = event_reader_is_waited_for(reader) ? log->unread : event_log_oldest_kept(log);
    move_to(reader, from < end ? from : end, run);
    struct event_block *block = find_block(log, reader->cursor);
    // Up to the end also where the next block begins at it or behind: nothing before it is left.
    move_to(reader, block != NULL && block->first < end ? block->first : end, run);
    if (reader->cursor >= end)
        return;
    assert(block != NULL && reader->cursor >= block->first);
    uint64_t block_end = block->first + block->out;
    uint64_t run_end = block_end < end ? block_end : end;
    assert(run_end >= reader->cursor);
    *run = (struct event_run){
        .block = block,
        .begin = (uint32_t)(reader->cursor - block->first),
        .end = (uint32_t)(run_end - block->first),
        .missed = run->missed,
        .more = run_end < end,
    };
    block->holders++;
    reader->held = block;
    reader->cursor = run_end;
}

bool event_log_is_pressed(struct event_log *log)
{
    bool pressed = false;
    pthread_mutex_lock(&log->lock);
    for (struct event_reader *reader = log->readers; reader != NULL; reader = reader->next) {
        bool lags = reader->cursor < reader->end && log->next - reader->cursor > log->setup.capacity / 4;
        pressed |= lags && reader->looks < EVENT_LOG_LOOKS && reader->policy == EVENTS_DROP_UNTIL_END;
        reader->looks++;
    }
    pthread_mutex_unlock(&log->lock);
    return pressed;
}

bool event_reader_take(struct event_reader *reader, unsigned timeout_ms, struct event_run *run)
{
    struct event_log *log = reader->log;
    *run = (struct event_run){0};
    pthread_mutex_lock(&log->lock);
    let_go_run(reader);
    if (reader->cursor >= end_for(reader))
        await_events(reader, timeout_ms);
    bool over = is_over(reader);
    if (reader->cursor < end_for(reader)) {
        take_run(reader, run);
        reader->looks = 0;
        event_log_trim(log);
        pthread_cond_signal(&log->passed);
    }
    pthread_mutex_unlock(&log->lock);
    return !over;
}

void event_reader_end(struct event_reader *reader)
{
    pthread_mutex_lock(&reader->log->lock);
    reader->end = reader->log->next;
    pthread_cond_broadcast(&reader->log->published);
    pthread_mutex_unlock(&reader->log->lock);
}

uint64_t event_reader_missed(struct event_reader *reader)
{
    pthread_mutex_lock(&reader->log->lock);
    uint64_t missed = reader->missed;
    pthread_mutex_unlock(&reader->log->lock);
    return missed;
}
