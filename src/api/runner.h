// The threads that answer calls, for all transports: some for unary calls, which may wait for the run, and one that steps
// all streams. A transport embeds a runner_call in what it keeps of a call, fills in the first members, and begins it; the
// reply is ended once, whatever happens, and the call is not touched after that.
//
// Bounded: RUNNER_WAITING unary calls wait for a thread, RUNNER_CALLS are open. One caller has no more than half of the former,
// and half of the streams (api/stream.h); those who watch the health, and say no name, have a quarter of them together. Health
// that is asked for once is told within runner_begin(), whatever else goes on.
#pragma once

#include <stdatomic.h>

#include "api/method.h"

enum { RUNNER_THREADS = 4, RUNNER_WAITING = 256, RUNNER_CALLS = 512, RUNNER_STREAMS_OF_ANYBODY = 64 };

struct runner;
struct stream;

struct runner_call {
    const struct method *method;
    const struct caller *caller;
    struct request request; // until the reply was ended
    struct reply *reply;    // the transport's: called on a thread of the runner's, or within runner_begin()

    // The runner's.
    struct runner_call *next, *previous; // of all that are open
    struct runner_call *behind;          // in the queue that it stands in
    struct stream *stream;
    bool goes_on;
    atomic_bool ready, cancelled, woken;
};

// Borrows the api. NULL with a sentence.
struct runner *runner_create(struct api *api, struct error *error);
// Takes NULL. Every call has ended: runner_drain() and the transports' own ends see to it.
void runner_destroy(struct runner *runner);

// Any thread. The call's reply takes one message from the beginning.
void runner_begin(struct runner *runner, struct runner_call *call);
// What was sent is on its way: the reply takes a message again. Only while the reply was not ended.
void runner_ready(struct runner *runner, struct runner_call *call);
// Nobody waits for the answer any more. Only while the reply was not ended, which it is soon after.
void runner_cancel(struct runner *runner, struct runner_call *call);

// The end of all: what begins from now on ends with UNAVAILABLE, and a second later so do streams, which have told by then
// what they had. Unary calls under way are answered.
void runner_drain(struct runner *runner);
// Calls that are open.
unsigned runner_open_calls(struct runner *runner);
