// The handles that the thread that captures has: taken from the keeper, watched, read in turn, read to their end, and given
// back once their last counts were told. Owned by the live source; its thread. A handle that is watched costs nothing
// until it has something.
#pragma once

#include <stdbool.h>

#include "capture/live/live_exchange.h"
#include "capture/live/live_frames.h"
#include "capture/live/live_handle.h"
#include "capture/live/live_rings.h"

struct live_handles {
    struct live_exchange *exchange; // borrowed
    struct live_frames frames;      // what they hand over
    int epoll_fd;
    struct live_handle *items[LIVE_INTERFACES_MAX];
    unsigned count;
    unsigned turn;          // the handle that is read first
    unsigned told;          // the handle whose counts are told next
    unsigned unwatched;     // polls since the sockets were last looked at
    bool eager;             // some ring is known to hold more
    unsigned leaving, left; // handles that are read to their end; that were
};

// Both are borrowed; the exchange need not be open yet.
void live_handles_init(struct live_handles *handles, struct live_exchange *exchange, struct chunk_pool *pool);
// The keeper has ended and with it closed the handles; the frames are whoever's who destroys the chunks.
void live_handles_done(struct live_handles *handles);
// The exchange is open: its word wakes. False without descriptors.
bool live_handles_listen(struct live_handles *handles);

// The keeper has something, or wants something of handles: takes what is new and does what is wished.
void live_handles_hear(struct live_handles *handles);
// The end: all are read to theirs.
void live_handles_leave(struct live_handles *handles, enum live_wish how);
// Those that are read to their end, and whose last counts were taken, go back.
void live_handles_give_back(struct live_handles *handles);

// Sleeps until there is a frame or the timeout is over, and not at all while a ring is known to hold more. Whether the
// exchange's word came.
bool live_handles_watch(struct live_handles *handles, int timeout_ms);
// Reads into the frames, as many as they take.
void live_handles_read(struct live_handles *handles);

// What the next handle has counted since it was told last, from the first one on; false = no further one. `running`: the
// source is not at its end.
bool live_handles_tell(struct live_handles *handles, bool first, bool running, struct source_drops *out);
