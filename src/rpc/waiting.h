// Calls whose request has not come yet. To begin one costs a client a few bytes and no credentials, and the core keeps 12 kB
// for it as long as the connection lasts: so many may wait, then the one that has waited longest is given up. Who means it
// sends the request with the call.
//
// The queue's thread only.
#pragma once

#include <stdbool.h>

enum { WAITING_CALLS = 1024 };

struct waiting_call {
    struct waiting_call *next, *previous;
    bool waits;
};

struct waiting_calls {
    struct waiting_call *first, *last; // by the time that they have waited, the longest first
    unsigned count;
};

// Returns the call that is to be given up for it, which waits no more; NULL = none.
struct waiting_call *waiting_add(struct waiting_calls *calls, struct waiting_call *call);
// When the request is there, or will not come; also when it waits no more.
void waiting_remove(struct waiting_calls *calls, struct waiting_call *call);
