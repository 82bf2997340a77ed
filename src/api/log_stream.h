// The parts of a stream of an event log, for log_stream.c (opening, a step), log_stream_read.c and log_stream_send.c.
#pragma once

#include "aggregate/event_log.h"
#include "api/stream.h"
#include "api/stream_message.h"
#include "api/stream_source.h"

struct snapshot;

struct log_stream {
    struct stream stream; // first
    struct stream_source *source;
    struct event_reader *reader;
    struct stream_options options;
    struct stream_queue queue;
    struct event_run run; // of the log, in the stream's hands
    uint32_t place;       // in it: the first event that was not looked at
    uint64_t begin;       // from which the stream can be had again, before anything was sent
    uint64_t opened_next; // the log's when the stream was opened: there the backlog ends
    uint64_t next;        // the first event that was not looked at
    uint64_t sent;
    int64_t log_ns; // the time of the log: the latest that was met
    bool skipping;  // until `since`
    bool started, told_caught_up, is_full, lacks_memory;
    bool is_blocked;             // a message is on its way
    enum stream_end end;         // nothing more is taken from the log, for this reason
    int64_t stepped_ns, beat_ns; // when it was stepped last, and when a heartbeat is due
};

// Reads what the log has, as far as the stream may keep it. True when there is more to look at now: a step has a bound.
bool log_stream_read(struct log_stream *stream);
// Whether nothing more is taken from the log.
bool log_stream_is_done(const struct log_stream *stream);
// As long as the log keeps what waits, it may wait there.
bool log_stream_has_room(const struct log_stream *stream);

// The first event that the log still has.
struct stream_oldest log_stream_oldest(const struct stream_source *source);
// Sends the message that is due, if one is. The snapshot is older than what was read; NULL = none yet.
enum stream_state log_stream_send(struct log_stream *stream, int64_t now_ns, const struct snapshot *snapshot,
                                  struct reply *reply);
// Ends the reply of one that is full, or without memory.
enum stream_state log_stream_fail(struct log_stream *stream, struct reply *reply);
