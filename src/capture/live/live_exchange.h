// Where the keeper and the source thread of a live source meet: opened handles go one way, those that the source is
// done with the other. Each handle is in one place at a time, so there are never more than handles. Who is to look
// is woken by an eventfd.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct live_handle;

enum live_end { LIVE_GOES_ON, LIVE_END_GONE, LIVE_END_STOPPED };

struct live_exchange {
    pthread_mutex_t lock;
    struct live_handle *coming, *returned;
    atomic_int end;           // enum live_end: the keeper says that no interface is left
    int source_fd, keeper_fd; // readable: look here
};

bool live_exchange_init(struct live_exchange *exchange);
void live_exchange_done(struct live_exchange *exchange);

// Any thread; safe in a signal handler.
void live_exchange_wake(int fd);
// The thread that was woken, before it looks.
void live_exchange_heard(int fd);

// The keeper gives an opened handle to the source, and takes back those that the source is done with, one a call;
// NULL = no more. Wakes the other one.
void live_exchange_give(struct live_exchange *exchange, struct live_handle *handle);
struct live_handle *live_exchange_take_back(struct live_exchange *exchange);
// The source takes what is new, and returns what it is done with.
struct live_handle *live_exchange_take(struct live_exchange *exchange);
void live_exchange_return(struct live_exchange *exchange, struct live_handle *handle);
