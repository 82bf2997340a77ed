// Where a stream's events come from: a log, and what the request wants of it. A row of functions a log; owned by its stream.
#pragma once

#include "aggregate/event_log.h"
#include "api/cursor.h"
#include "api/stream_options.h"

struct strbuf;
struct stream_source;

struct stream_source_ops {
    enum cursor_log log;
    // Of the event at a place of a block:
    int64_t (*time)(const struct event_block *block, uint32_t place);
    // Whether the caller may know of it. What he may not see moves neither the stream's time nor its end.
    bool (*is_seen)(struct stream_source *source, const struct event_block *block, uint32_t place);
    // Whether it is asked for, too.
    bool (*fits)(struct stream_source *source, const struct event_block *block, uint32_t place);
    // Its message, FlowEvent, AlertEvent or PacketEvent, until the next call; NULL without memory.
    const uint8_t *(*pack)(struct stream_source *source, const struct event_block *block, uint32_t place,
                           size_t *length);
    void (*destroy)(struct stream_source *source);
    // Further fields of each response; NULL = none.
    void (*add)(struct stream_source *source, struct strbuf *into);
};

struct stream_source {
    const struct stream_source_ops *ops;
    struct event_log *log;
    const struct limits *limits; // of the caller, who is held by the stream; NULL = he sees everything
};

// Takes the source, on failure too. NULL with the call's status.
struct stream *log_stream_create(struct call *call, struct stream_source *take_source,
                                 const struct stream_options *options);
