// A stream: what a streaming method sends, as a machine that knows no transport and no clock. What kinds there are: of an event
// log (stream_source.h), of the counters (stats_service.c), of packets (packet_service.c).
//
// Whoever runs it calls stream_step() when the reply can take a message, when stream_due_ns() comes, and again at once
// while it goes on; with api.bell it is due again when the bell rang. All streams of an api are stepped by one thread; none of
// the run's. It never blocks. Cost of a step: what came, some 2 us an event that is let through and not packed yet, and a
// look at the log.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/caller.h"
#include "api/stream_queue.h"

struct api;
struct call;
struct reply;
struct status;
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
// Takes NULL; ends no reply. One of packets waits for the source's thread, as pcap_tap_destroy() does.
void stream_destroy(struct stream *stream);

// What follows is for those that make streams: a row of functions a kind, and its head.
struct stream_ops {
    enum stream_state (*step)(struct stream *stream, int64_t now_ns, bool ready, struct reply *reply);
    int64_t (*due_ns)(const struct stream *stream);
    void (*done)(struct stream *stream); // gives back what it holds, but not itself
};
enum stream_kind {
    STREAM_OF_FLOWS,
    STREAM_OF_ALERTS,
    STREAM_OF_PACKETS,
    STREAM_OF_PCAP,
    STREAM_OF_STATS,
    STREAM_OF_HEALTH,
    STREAM_KINDS
};
struct stream {
    const struct stream_ops *ops;
    enum stream_kind kind;
    uint64_t dropped; // as told to stream_count_dropped()
    struct api *api;
    struct stream *behind; // the runner's, when it is over
    struct caller caller;  // held: the stream ends within a step when he may not what he might any more
};

enum { STREAMS_MOST = 256 }; // at a time

// `bytes` of zeros behind a head that is filled. NULL with the call's status.
void *stream_create(struct call *call, enum stream_kind kind, const struct stream_ops *ops, size_t bytes);
// How much it has left out so far: for the metrics.
void stream_count_dropped(struct stream *stream, enum stream_policy policy, uint64_t so_far);
bool stream_lacks_memory(struct call *call); // says so; false always
// The sensor ends: UNAVAILABLE, come again; false always.
bool stream_tell_end(struct status *status);
// Ends the reply.
enum stream_state stream_end(struct reply *reply, const struct status *status);
