// What the two files of the event log share: event_log.c is the writer's side, event_reader.c the readers'. For these
// only. All of it is under the log's lock, but what the writer puts into the open block.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "aggregate/event_log.h"

enum { EVENT_LOG_SPARE_BLOCKS = 64 };

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
    struct event_block *spare[EVENT_LOG_SPARE_BLOCKS];
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
    struct bell *bell;        // NULL = none
    unsigned looks;           // of event_log_is_pressed() since it took some
};

// event_log.c, with the lock held.

// The block at a place: 0 is the oldest.
struct event_block *event_log_block(const struct event_log *log, size_t place);
// One holder less: the last one's goes to the spare ones, or is freed.
void event_log_let_go(struct event_log *log, struct event_block *block);
// Gives up the blocks that nobody wants any more, and the oldest beyond what may be kept.
void event_log_trim(struct event_log *log);
// The first event that a reader which is not waited for may still have.
uint64_t event_log_oldest_kept(const struct event_log *log);
// Whether the writer waits for a reader.
bool event_reader_is_waited_for(const struct event_reader *reader);
