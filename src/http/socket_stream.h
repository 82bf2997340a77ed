// One WebSocket and the stream on it. The sockets' thread has all of it but what is below their lock.
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "api/caller.h"
#include "api/runner.h"
#include "base/strbuf.h"
#include "http/sockets.h"

struct wslay_event_context;

// What the streams share.
struct stream_room {
    pthread_mutex_t lock;
    int event; // written when there is something to send
    struct runner *runner;
};

enum socket_stage {
    STAGE_REQUEST, // awaited
    STAGE_ASKED,   // the runner has the call
    STAGE_CLOSING, // our close is sent, or to be
    STAGE_GONE,    // closed; the runner may still have the call
};

struct socket_stream {
    struct socket_stream *next;
    struct stream_room *room;
    enum socket_stage stage;
    bool asked; // the runner was
    struct MHD_UpgradeResponseHandle *handle;
    int descriptor;
    struct wslay_event_context *wslay;
    struct strbuf early; // came with the handshake
    size_t early_read, turn_bytes;
    int64_t deadline_ns; // of the request, of the close; INT64_MAX = none
    int64_t progress_ns; // when something was sent last, or began to wait
    int64_t second_ns;   // in which `frames` are counted
    unsigned frames;     // that came
    bool gathers;        // the bytes of this one are the request's
    bool in_flight, told_end, cancelled;
    bool lost;     // the socket's other end is gone
    bool breached; // the client broke a rule that wslay has no word for

    struct caller caller;
    struct runner_call call;
    struct reply reply;
    struct strbuf request;

    // Below the lock.
    struct strbuf outgoing; // a message
    bool has_outgoing;
    struct strbuf end; // Connect's EndStream
    bool ended;
    bool has_news; // of the above
};

// False when wslay has no memory.
bool socket_stream_open(struct socket_stream *stream, struct stream_room *room,
                        const struct upgraded *upgraded, int64_t now_ns);
// What to poll for.
short socket_stream_events(const struct socket_stream *stream);
// Whether the runner said something since this was last asked.
bool socket_stream_has_news(struct socket_stream *stream);
// Does what can be done now. `readable`: there may be something to read.
void socket_stream_turn(struct socket_stream *stream, bool readable, int64_t now_ns);
// Closes it without further words; the runner's call is cancelled.
void socket_stream_cut(struct socket_stream *stream);
// The sensor ends: says so, where no request came yet; who does not answer a close holds that up for no more than a second.
void socket_stream_go_away(struct socket_stream *stream, int64_t now_ns);
// Whether nobody has it any more: to be destroyed.
bool socket_stream_is_over(const struct socket_stream *stream);
