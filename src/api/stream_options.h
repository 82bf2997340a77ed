// StreamOptions, checked: how a stream is to be run.
#pragma once

#include "api/call.h"
#include "api/cursor.h"
#include "api/stream_queue.h"

struct Netscope__V1__StreamOptions;

enum stream_from { FROM_ANYWHERE, FROM_CURSOR, FROM_TIME, FROM_LAST };

struct stream_options {
    enum stream_from from;
    enum cursor_kind cursor;    // FROM_CURSOR: ours, of another start or of another sensor
    uint64_t next;              // when it is ours
    char resumed[CURSOR_BYTES]; // else: as the client gave it
    int64_t since_ns;
    uint32_t last;
    bool follow, has_until;
    int64_t until_ns;
    uint64_t limit; // 0 = none
    int64_t heartbeat_ns, delay_ns;
    uint32_t events, bytes; // of a message
    enum stream_policy policy;
    uint32_t queue_bytes;
};

enum {
    STREAM_EVENTS = 512,
    STREAM_BYTES = 256 << 10,
    STREAM_MOST_BYTES = 1 << 20,
    STREAM_QUEUE_BYTES = 4 << 20,
    STREAM_MOST_QUEUE_BYTES = 16 << 20,
    STREAM_ALL_QUEUES_BYTES = 64 << 20, // of all streams, where memory is not short: each has an equal share
    STREAM_LAST = 65536,
};

// NULL: all as it is by default. `delay_ns` is what max_delay is then. False with violations of "options...".
bool stream_options_take(struct call *call, enum cursor_log log,
                         const struct Netscope__V1__StreamOptions *from, int64_t delay_ns,
                         struct stream_options *out);
