// The event log: what happened, in order and numbered from 1, for any number of readers. One thread writes. Events
// lie in blocks that readers hold and never copy; what an event is, the log does not know: flows have a log, alerts
// another one, so that a flood of flows pushes no alert out.
//
// A reader has a cursor, sleeps until something is out, and learns exactly how many events it missed: it may lag by
// `capacity` events, then the oldest are lost to it. Blocks that every reader has passed are freed at once, unless
// history is kept. Memory: at most event_log_most_blocks() of `block_bytes`, and a block in the hands of each reader.
// Cost: one short critical section for each run of events, none for an event.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bell;
struct event_log;
struct event_reader;

// The head of a block; the owner's events lie behind it.
struct event_block {
    uint64_t first;   // sequence number of its first event
    uint32_t made;    // events that the writer has put into it
    uint32_t used;    // the writer's own; 0 in a fresh block
    uint32_t out;     // of those made: published. Under the log's lock, as the rest
    uint32_t holders; // the log, and each run that a reader holds
};

struct event_log_setup {
    uint64_t capacity;     // events, 1 or more
    size_t block_bytes;    // of a block with its head
    uint32_t block_events; // what usually fits into one
    bool keep_history;     // `capacity` events stay whether anybody reads or not
};

// NULL without memory. No reader may be left at the end; takes NULL.
struct event_log *event_log_create(const struct event_log_setup *setup);
void event_log_destroy(struct event_log *log);
uint64_t event_log_most_blocks(uint64_t capacity, uint32_t block_events);

// The writer. The block that is being filled; NULL without memory.
struct event_block *event_log_open(struct event_log *log);
// Everything made in the open block is out. Waits for readers that are waited for. Wakes who sleeps when much is out;
// event_log_wake() does at the end of a tick. False, and nothing is out, when it is not `finished` as readers need it
// and there is one: to be finished, and called again. Readers that come later never get what was not.
bool event_log_publish(struct event_log *log, bool finished);
void event_log_wake(struct event_log *log);
// The open block is full: what comes next goes into another one. All of it is out.
void event_log_shut(struct event_log *log);
// Events that could not be made: readers miss them.
void event_log_skip(struct event_log *log, uint64_t events);
// From now on live outputs are waited for too, some seconds altogether: nothing is captured any more.
void event_log_begin_end(struct event_log *log);
// No more events: readers take what is left.
void event_log_close(struct event_log *log);

// The writer, now and then: whether a live output lags by more than a quarter of what it may, and took some when this was
// asked one of the last EVENT_LOG_LOOKS times. Who does not read at all is nobody to be slow for, and neither is a client's
// stream (EVENTS_DROP).
enum { EVENT_LOG_LOOKS = 64 };
bool event_log_is_pressed(struct event_log *log);

// Any thread: whether anybody may look at what is written. A reader may come right after it.
bool event_log_is_read(const struct event_log *log);
// The sequence number that the next event gets.
uint64_t event_log_next(struct event_log *log);
// Any thread: whether who has taken everything before `next` has something to take: events, or the end.
bool event_log_is_ahead(struct event_log *log, uint64_t next);
uint64_t event_log_capacity(const struct event_log *log);

enum { EVENTS_WAITED_FOR = 4096 }; // that a reader which is waited for may lag

enum event_policy {
    EVENTS_WAIT,           // the writer waits for the reader: an output of a file
    EVENTS_DROP,           // the oldest are lost to a reader that lags: streams
    EVENTS_DROP_UNTIL_END, // the same, but waited for at the end of the run: live outputs
};

#define EVENTS_FROM_NOW UINT64_MAX
enum { EVENTS_FROM_OLDEST = 0 }; // that is kept

// Events of one block, held until they are released.
struct event_run {
    const struct event_block *block; // NULL = none came in time
    uint32_t begin, end;             // which of the block
    uint64_t missed;                 // events right before these
    bool more;                       // are waiting behind them
};

// `from` is a sequence number or one of the above. NULL without memory.
struct event_reader *event_reader_create(struct event_log *log, enum event_policy policy, uint64_t from);
void event_reader_destroy(struct event_reader *reader); // takes NULL; the run in its hands goes back too
// For who does not sleep in event_reader_take(), but reads several logs: the bell rings when sleepers are woken. Borrowed
// as long as the reader lives.
void event_reader_ring(struct event_reader *reader, struct bell *bell);

// One thread a reader. The next events, after a wait for them of at most `timeout_ms`; they are the reader's until
// the next call. False when the log is closed, or the reader ended, and everything was taken.
bool event_reader_take(struct event_reader *reader, unsigned timeout_ms, struct event_run *run);

// Any thread: the reader takes what is out now, then no more.
void event_reader_end(struct event_reader *reader);
uint64_t event_reader_missed(struct event_reader *reader); // since it was created
