// The door's own parts, as its files see them. All is its thread's once that runs, but what says otherwise.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/latch.h"
#include "door/connection.h"
#include "door/door.h"
#include "door/listener.h"
#include "door/peers.h"
#include "door/watched.h"

enum door_order { ORDER_SERVE, ORDER_SERVE_NO_MORE, ORDER_END };

struct door {
    struct door_limits limits;
    struct metric_registry *registry;
    struct peers peers;          // has a lock of its own
    struct own_connections *own; // borrowed; NULL = nobody asks

    struct listener listeners[DOOR_LISTENERS]; // fixed once it has started; their counts are atomic
    unsigned listener_count;
    struct connection *connections; // a list, the newest first
    struct connection *closed;      // freed when nothing of the round of events speaks of them
    struct frame_budget frames;     // of all connections together

    int epoll;
    int spare; // a descriptor to give up when there are no more, so that who waits can be closed
    int64_t now_ns;
    int64_t end_ns;  // of the thread, at the latest; INT64_MAX = not ordered yet
    int64_t wake_ns; // not later than whatever comes next by time

    pthread_t thread;
    bool runs, stopped;    // the owner's, below the lock
    pthread_mutex_t lock;  // of those who stop it
    struct watched orders; // an eventfd, written when the orders change
    int orders_event;
    atomic_int order;          // enum door_order
    atomic_bool look;          // at the certificates, now
    struct latch accepts_none; // open when the thread has carried out ORDER_SERVE_NO_MORE
};

// Something is to be done at this time, or before.
static inline void door_wake_at(struct door *door, int64_t time_ns)
{
    if (time_ns < door->wake_ns)
        door->wake_ns = time_ns;
}
