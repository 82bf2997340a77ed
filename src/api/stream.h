// A stream: what a Watch method sends, as a machine that knows no transport and no clock. It reads a log at a place of its own,
// matches while its reader blocks, and bounds what waits; the log itself is its longer queue, as long as it laps nobody.
//
// Whoever runs it calls stream_step() when the reply can take a message, when stream_due_ns() comes, and again at once
// while it goes on. One thread at a time; none of the run's. It never blocks. Cost of a step: what came, some 2 us an event
// that is let through, and a look at the log.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct reply;
struct stream;

enum stream_state {
    STREAM_WAITS,   // for the reply, for events, for its time
    STREAM_GOES_ON, // a message was sent, or there is more to look at: to be stepped again at once
    STREAM_OVER,    // the reply was ended: to be destroyed
};

// `now_ns` is monotonic, as clock_now_ns(). With `ready` one message may be sent.
enum stream_state stream_step(struct stream *stream, int64_t now_ns, bool ready, struct reply *reply);
// When it is to be stepped again at the latest.
int64_t stream_due_ns(const struct stream *stream);
void stream_destroy(struct stream *stream); // takes NULL; ends no reply
