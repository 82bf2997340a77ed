// A message of a stream being put together: head, gaps, then events that are packed already. All Watch responses have the
// same numbers for the same things, so one code writes them all.
#pragma once

#include "api/build.h"
#include "api/stream_options.h"
#include "api/stream_queue.h"

struct snapshot;

// As StreamEndReason in stream.proto.
enum stream_end {
    STREAM_END_NONE,
    STREAM_END_LIMIT,
    STREAM_END_UNTIL,
    STREAM_END_BACKLOG,
    STREAM_END_RUN_OVER
};

// The oldest event that is kept; without one `sequence` is the next one's.
struct stream_oldest {
    uint64_t sequence;
    bool exists;
    int64_t time_ns;
};

struct stream_pulse {
    int64_t time_ns;
    uint64_t last_sequence, dropped;
    bool caught_up;
    const struct snapshot *snapshot; // NULL = none
};

struct stream_message {
    struct build build;
    const struct limits *limits;                   // of the caller
    bool withheld;                                 // from him is what counts or times what he may not see
    struct Netscope__V1__WatchFlowsResponse *head; // NULL without memory
    struct strbuf bytes;                           // events, each with its key
    size_t gap_room;
};

void stream_message_init(struct stream_message *message, const struct limits *limits);
void stream_message_done(struct stream_message *message);

void stream_message_identify(struct stream_message *message, const char *node, const char *instance,
                             const char *cursor);
void stream_message_add(struct stream_message *message, const struct stream_entry *entry,
                        uint64_t oldest_available);
void stream_message_start(struct stream_message *message, const struct stream_options *options,
                          const struct stream_oldest *oldest);
void stream_message_beat(struct stream_message *message, const struct stream_pulse *pulse,
                         const struct stream_oldest *oldest);
void stream_message_end(struct stream_message *message, enum stream_end reason, uint64_t events,
                        uint64_t dropped);

// The whole message, in `bytes`. False without memory.
bool stream_message_pack(struct stream_message *message);
