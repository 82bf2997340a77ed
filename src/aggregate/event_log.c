#include "aggregate/event_log.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/time.h"

enum {
    WAKE_EVENTS = 1024, // that are out before sleeping readers are woken within a tick
    SPARE_BLOCKS = 64,
    END_GRACE_SECS = 3, // for live outputs at the end
    FIRST_ROOM = 16,
};

struct event_log {
    pthread_mutex_t lock;
    pthread_cond_t published, passed;
    struct event_log_setup setup;
    struct event_block **blocks; // a ring of `room`: `count` of them from `head`, in order
    size_t room, head, count;
    bool open;         // the last one is being filled
    uint64_t next;     // sequence number of the next event to be out
    uint64_t woken_at; // `next` when readers were last woken
    uint64_t unread;   // events before it are not finished: nobody read when they were made
    struct event_reader *readers;
    unsigned sleepers;
    uint64_t allocated; // blocks
    struct event_block *spare[SPARE_BLOCKS];
    unsigned spares;
    bool ending, closed;
    struct timespec end_by; // when the patience with live outputs ends
    atomic_bool read;
};

struct event_reader {
    struct event_log *log;
    struct event_reader *next;
    enum event_policy policy;
    uint64_t cursor;
    uint64_t end; // it takes nothing from here on
    uint64_t missed;
    struct event_block *held; // by the run in its hands
};

uint64_t event_log_most_blocks(uint64_t capacity, uint32_t block_events)
{
    return 2 * (capacity / block_events + 1) + 2;
}

static void init_locks(struct event_log *log)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->published, &attributes);
    pthread_cond_init(&log->passed, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct event_log *event_log_create(const struct event_log_setup *setup)
{
    assert(setup->capacity > 0 && setup->block_events > 0 && setup->block_bytes > sizeof(struct event_block));
    struct event_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return NULL;
    init_locks(log);
    log->setup = *setup;
    log->next = log->woken_at = 1;
    log->room = FIRST_ROOM;
    log->blocks = calloc(log->room, sizeof(struct event_block *));
    atomic_init(&log->read, setup->keep_history);
    if (log->blocks == NULL) {
        event_log_destroy(log);
        return NULL;
    }
    return log;
}

static struct event_block *block_at(const struct event_log *log, size_t place)
{
    assert(place < log->count);
    return log->blocks[(log->head + place) & (log->room - 1)];
}

// Under the lock, as all that follows down to the writer's functions.
static void let_go(struct event_log *log, struct event_block *block)
{
    assert(block->holders > 0);
    if (--block->holders > 0)
        return;
    if (log->spares < SPARE_BLOCKS) {
        log->spare[log->spares++] = block;
        return;
    }
    log->allocated--;
    free(block);
}

static void drop_first(struct event_log *log)
{
    struct event_block *block = block_at(log, 0);
    log->head = (log->head + 1) & (log->room - 1);
    log->count--;
    let_go(log, block);
}

void event_log_destroy(struct event_log *log)
{
    if (log == NULL)
        return;
    assert(log->readers == NULL);
    while (log->count > 0)
        drop_first(log);
    while (log->spares > 0)
        free(log->spare[--log->spares]);
    pthread_cond_destroy(&log->published);
    pthread_cond_destroy(&log->passed);
    pthread_mutex_destroy(&log->lock);
    free(log->blocks);
    free(log);
}

static bool is_waited_for(const struct event_reader *reader)
{
    return reader->policy == EVENTS_WAIT || (reader->policy == EVENTS_DROP_UNTIL_END && reader->log->ending);
}

// The least cursor of all readers, or of those that are waited for.
static uint64_t least_cursor(const struct event_log *log, bool waited_for)
{
    uint64_t least = log->next;
    for (const struct event_reader *reader = log->readers; reader != NULL; reader = reader->next)
        if (reader->cursor < least && (!waited_for || is_waited_for(reader)))
            least = reader->cursor;
    return least;
}

// The first event that a reader which is not waited for may still have.
static uint64_t oldest_kept(const struct event_log *log)
{
    uint64_t oldest = log->next > log->setup.capacity ? log->next - log->setup.capacity : 1;
    return oldest > log->unread ? oldest : log->unread;
}

static bool is_first_full(const struct event_log *log)
{
    return log->count > 1 || (log->count == 1 && !log->open);
}

// Gives up the blocks that nobody wants any more, and the oldest beyond what may be kept.
static void trim(struct event_log *log)
{
    uint64_t keep_from = oldest_kept(log), least = least_cursor(log, false), owed = least_cursor(log, true);
    uint64_t most = event_log_most_blocks(log->setup.capacity, log->setup.block_events);
    if (!log->setup.keep_history && least > keep_from)
        keep_from = least;
    while (is_first_full(log)) {
        const struct event_block *first = block_at(log, 0);
        uint64_t end = first->first + first->out;
        if (end > owed || (end > keep_from && log->count <= most))
            break;
        drop_first(log);
    }
}

static bool append(struct event_log *log, struct event_block *block)
{
    if (log->count == log->room) {
        struct event_block **wider = calloc(log->room * 2, sizeof(struct event_block *));
        if (wider == NULL)
            return false;
        for (size_t i = 0; i < log->count; i++)
            wider[i] = block_at(log, i);
        free(log->blocks);
        log->blocks = wider;
        log->room *= 2;
        log->head = 0;
    }
    log->blocks[(log->head + log->count++) & (log->room - 1)] = block;
    return true;
}

static struct event_block *fresh_block(struct event_log *log)
{
    bool spare = log->spares > 0;
    struct event_block *block = spare ? log->spare[--log->spares] : malloc(log->setup.block_bytes);
    if (block == NULL)
        return NULL;
    log->allocated += !spare;
    *block = (struct event_block){.first = log->next, .holders = 1};
    if (append(log, block))
        return block;
    let_go(log, block);
    return NULL;
}

static void wake_readers(struct event_log *log)
{
    if (log->sleepers > 0 && log->woken_at != log->next)
        pthread_cond_broadcast(&log->published);
    log->woken_at = log->next;
}

// Whether some reader must catch up before more is written.
static bool must_wait(const struct event_log *log)
{
    uint64_t lag = log->setup.capacity < EVENTS_WAITED_FOR ? log->setup.capacity : EVENTS_WAITED_FOR;
    for (const struct event_reader *reader = log->readers; reader != NULL; reader = reader->next)
        if (is_waited_for(reader) && reader->cursor < reader->end && log->next - reader->cursor > lag)
            return true;
    return false;
}

static void wait_for_readers(struct event_log *log)
{
    while (must_wait(log)) {
        wake_readers(log);
        if (!log->ending)
            pthread_cond_wait(&log->passed, &log->lock);
        else if (pthread_cond_timedwait(&log->passed, &log->lock, &log->end_by) != 0)
            log->ending = false;
    }
}

struct event_block *event_log_open(struct event_log *log)
{
    pthread_mutex_lock(&log->lock);
    struct event_block *block = log->open ? block_at(log, log->count - 1) : fresh_block(log);
    log->open = block != NULL;
    pthread_mutex_unlock(&log->lock);
    return block;
}

static void put_out(struct event_log *log, struct event_block *block)
{
    assert(block->made >= block->out);
    log->next += block->made - block->out;
    block->out = block->made;
    if (log->next - log->woken_at >= WAKE_EVENTS)
        wake_readers(log);
    wait_for_readers(log);
    trim(log);
}

// Readers come under the lock: who comes later sees only what is out by then.
bool event_log_publish(struct event_log *log, bool finished)
{
    pthread_mutex_lock(&log->lock);
    assert(log->open && !log->closed);
    bool good = finished || !event_log_is_read(log);
    if (good)
        put_out(log, block_at(log, log->count - 1));
    if (good && !finished)
        log->unread = log->next;
    pthread_mutex_unlock(&log->lock);
    return good;
}

void event_log_wake(struct event_log *log)
{
    pthread_mutex_lock(&log->lock);
    wake_readers(log);
    pthread_mutex_unlock(&log->lock);
}

void event_log_shut(struct event_log *log)
{
    pthread_mutex_lock(&log->lock);
    assert(log->open && block_at(log, log->count - 1)->out == block_at(log, log->count - 1)->made);
    log->open = false;
    trim(log);
    pthread_mutex_unlock(&log->lock);
}

// A gap between two blocks: readers see that the second one begins later than their cursor.
void event_log_skip(struct event_log *log, uint64_t events)
{
    pthread_mutex_lock(&log->lock);
    log->open = false;
    log->next += events;
    trim(log);
    pthread_mutex_unlock(&log->lock);
}

void event_log_begin_end(struct event_log *log)
{
    pthread_mutex_lock(&log->lock);
    clock_gettime(CLOCK_MONOTONIC, &log->end_by);
    log->end_by.tv_sec += END_GRACE_SECS;
    log->ending = true;
    pthread_mutex_unlock(&log->lock);
}

void event_log_close(struct event_log *log)
{
    pthread_mutex_lock(&log->lock);
    log->closed = true;
    pthread_cond_broadcast(&log->published);
    pthread_mutex_unlock(&log->lock);
}

bool event_log_is_read(const struct event_log *log)
{
    return atomic_load_explicit(&log->read, memory_order_relaxed);
}

uint64_t event_log_next(struct event_log *log)
{
    pthread_mutex_lock(&log->lock);
    uint64_t next = log->next;
    pthread_mutex_unlock(&log->lock);
    return next;
}

uint64_t event_log_held_blocks(struct event_log *log)
{
    pthread_mutex_lock(&log->lock);
    uint64_t blocks = log->allocated;
    pthread_mutex_unlock(&log->lock);
    return blocks;
}

// Readers.

struct event_reader *event_reader_create(struct event_log *log, enum event_policy policy, uint64_t from)
{
    struct event_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return NULL;
    pthread_mutex_lock(&log->lock);
    *reader = (struct event_reader){.log = log, .next = log->readers, .policy = policy, .end = UINT64_MAX};
    uint64_t oldest = log->count > 0 ? block_at(log, 0)->first : log->next;
    if (from == EVENTS_FROM_OLDEST)
        from = oldest > oldest_kept(log) ? oldest : oldest_kept(log);
    reader->cursor = from < log->next ? from : log->next;
    log->readers = reader;
    atomic_store_explicit(&log->read, true, memory_order_relaxed);
    pthread_mutex_unlock(&log->lock);
    return reader;
}

static void let_go_run(struct event_reader *reader)
{
    if (reader->held != NULL)
        let_go(reader->log, reader->held);
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
    trim(log);
    atomic_store_explicit(&log->read, log->readers != NULL || log->setup.keep_history, memory_order_relaxed);
    pthread_cond_signal(&log->passed);
    pthread_mutex_unlock(&log->lock);
    free(reader);
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
        const struct event_block *block = block_at(log, middle);
        if (block->first + block->out <= cursor)
            from = middle + 1;
        else
            to = middle;
    }
    return from < log->count ? block_at(log, from) : NULL;
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
    uint64_t from = is_waited_for(reader) ? log->unread : oldest_kept(log);
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
        trim(log);
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
