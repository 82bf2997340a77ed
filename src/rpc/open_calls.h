// Calls that were accepted and are not gone, the oldest first. To begin one costs a client a few bytes, and for the health
// service no credentials; the core holds some 12 kB of it, and all that the client does not read. Those that nobody works on
// wait for a request that does not come, or for a reader: when they are too many, or too much waits to be read, the oldest give
// way. So who holds calls open takes no memory without bound, and keeps nobody out. Any thread; a call takes the lock four times.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A part of the call.
struct open_call {
    struct open_call *newer, *older;
    size_t unread_bytes;
    bool worked_on, given_up;
};

enum { IDLE_CALLS = 1024 };

struct open_calls {
    pthread_mutex_t lock;
    struct open_call *oldest, *newest;
    unsigned idle, most_idle; // that nobody works on, without those given up
    uint64_t unread_bytes, most_unread_bytes;
    uint64_t given_up;                       // so far
    void (*give_up)(struct open_call *call); // ends it, soon; below the lock
};

void open_calls_init(struct open_calls *calls, uint64_t most_unread_bytes,
                     void (*give_up)(struct open_call *call));
void open_calls_done(struct open_calls *calls); // all are gone

void open_calls_add(struct open_calls *calls, struct open_call *call);
void open_calls_remove(struct open_calls *calls, struct open_call *call);
// The runner has it, until it is let go.
void open_calls_work(struct open_calls *calls, struct open_call *call);
// With an answer of so many bytes, which waits to be read.
void open_calls_let_go(struct open_calls *calls, struct open_call *call, size_t unread_bytes);

uint64_t open_calls_given_up(struct open_calls *calls);
