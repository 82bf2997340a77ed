#include "aggregate/event_log.h"

#include <assert.h>
#include <stdlib.h>

#include "aggregate/event_log_parts.h"
#include "base/bell.h"

enum {
    WAKE_EVENTS = 1024, // that are out before sleeping readers are woken within a tick
    END_GRACE_SECS = 3, // for live outputs at the end
    FIRST_ROOM = 16,
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

struct event_block *event_log_block(const struct event_log *log, size_t place)
{
    assert(place < log->count);
    return log->blocks[(log->head + place) & (log->room - 1)];
}

// Under the lock, as all that follows down to the writer's functions.
void event_log_let_go(struct event_log *log, struct event_block *block)
{
    assert(block->holders > 0);
    if (--block->holders > 0)
        return;
    if (log->spares < EVENT_LOG_SPARE_BLOCKS) {
        log->spare[log->spares++] = block;
        return;
    }
    log->allocated--;
    free(block);
}

static void drop_first(struct event_log *log)
{
    struct event_block *block = event_log_block(log, 0);
    log->head = (log->head + 1) & (log->room - 1);
    log->count--;
    event_log_let_go(log, block);
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

bool event_reader_is_waited_for(const struct event_reader *reader)
{
    return reader->policy == EVENTS_WAIT || (reader->policy == EVENTS_DROP_UNTIL_END && reader->log->ending);
}

// The least cursor of all readers, or of those that are waited for.
static uint64_t least_cursor(const struct event_log *log, bool waited_for)
{
    uint64_t least = log->next;
    for (const struct event_reader *reader = log->readers; reader != NULL; reader = reader->next)
        if (reader->cursor < least && (!waited_for || event_reader_is_waited_for(reader)))
            least = reader->cursor;
    return least;
}

uint64_t event_log_oldest_kept(const struct event_log *log)
{
    uint64_t oldest = log->next > log->setup.capacity ? log->next - log->setup.capacity : 1;
    return oldest > log->unread ? oldest : log->unread;
}

static bool is_first_full(const struct event_log *log)
{
    return log->count > 1 || (log->count == 1 && !log->open);
}

void event_log_trim(struct event_log *log)
{
    uint64_t keep_from = event_log_oldest_kept(log), least = least_cursor(log, false),
             owed = least_cursor(log, true);
    uint64_t most = event_log_most_blocks(log->setup.capacity, log->setup.block_events);
    if (!log->setup.keep_history && least > keep_from)
        keep_from = least;
    while (is_first_full(log)) {
        const struct event_block *first = event_log_block(log, 0);
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
            wider[i] = event_log_block(log, i);
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
    event_log_let_go(log, block);
    return NULL;
}

// Readers with the same bell often stand in a row: it rings once.
static void ring_bells(const struct event_log *log)
{
    const struct bell *rung = NULL;
    for (struct event_reader *reader = log->readers; reader != NULL; reader = reader->next) {
        if (reader->bell != NULL && reader->bell != rung)
            bell_ring(reader->bell);
        rung = reader->bell;
    }
}

static void wake_readers(struct event_log *log)
{
    if (log->woken_at == log->next)
        return;
    log->woken_at = log->next;
    if (log->sleepers > 0)
        pthread_cond_broadcast(&log->published);
    ring_bells(log);
}

// Whether some reader must catch up before more is written.
static bool must_wait(const struct event_log *log)
{
    uint64_t lag = log->setup.capacity < EVENTS_WAITED_FOR ? log->setup.capacity : EVENTS_WAITED_FOR;
    for (const struct event_reader *reader = log->readers; reader != NULL; reader = reader->next)
        if (event_reader_is_waited_for(reader) && reader->cursor < reader->end &&
            log->next - reader->cursor > lag)
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
    struct event_block *block = log->open ? event_log_block(log, log->count - 1) : fresh_block(log);
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
    event_log_trim(log);
}

// Readers come under the lock: who comes later sees only what is out by then.
bool event_log_publish(struct event_log *log, bool finished)
{
    pthread_mutex_lock(&log->lock);
    assert(log->open && !log->closed);
    bool good = finished || !event_log_is_read(log);
    if (good)
        put_out(log, event_log_block(log, log->count - 1));
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
    assert(log->open &&
           event_log_block(log, log->count - 1)->out == event_log_block(log, log->count - 1)->made);
    log->open = false;
    event_log_trim(log);
    pthread_mutex_unlock(&log->lock);
}

// A gap between two blocks: readers see that the second one begins later than their cursor.
void event_log_skip(struct event_log *log, uint64_t events)
{
    pthread_mutex_lock(&log->lock);
    log->open = false;
    log->next += events;
    event_log_trim(log);
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
    ring_bells(log);
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

bool event_log_is_ahead(struct event_log *log, uint64_t next)
{
    pthread_mutex_lock(&log->lock);
    bool ahead = log->next > next || log->closed;
    pthread_mutex_unlock(&log->lock);
    return ahead;
}

uint64_t event_log_capacity(const struct event_log *log)
{
    return log->setup.capacity;
}
