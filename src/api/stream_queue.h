// What waits for the reader of a stream: packed events, and the gaps between them, in order. Bounded in bytes: what does
// not fit is left out by the policy that the client chose, and counted where it is missing. One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What happens when a client reads too slowly. STREAM_CONFLATE: only the latest is told, of counters alone.
enum stream_policy {
    STREAM_DROP_OLDEST,
    STREAM_DROP_NEWEST,
    STREAM_DISCONNECT,
    STREAM_CONFLATE,
    STREAM_POLICIES
};

// As GapReason in stream.proto.
enum gap_reason { GAP_SLOW_READER = 1, GAP_LAPPED, GAP_AWAY, GAP_RESTARTED, GAP_OTHER_SENSOR };

struct gap {
    enum gap_reason reason;
    uint64_t count; // that the filter would have let through
    bool count_known;
    uint64_t at_most;       // events of any kind; 0 = not known
    int64_t from_ns, to_ns; // of the first and last; from_ns > to_ns = not known
};

struct stream_entry {
    struct stream_entry *next;
    uint64_t sequence; // of the event, or of the last one that is missing
    int64_t time_ns;   // when it was logged
    int64_t queued_ns;
    bool is_gap;
    struct gap gap;
    uint32_t length;
    uint8_t bytes[]; // of the event's message
};

struct stream_queue {
    struct stream_entry *head, *tail;
    size_t bytes, most_bytes;
    uint64_t events;  // that wait
    uint64_t dropped; // that were left out so far
};

void stream_queue_init(struct stream_queue *queue, size_t most_bytes);
void stream_queue_done(struct stream_queue *queue);

enum stream_put { STREAM_PUT, STREAM_FULL, STREAM_NO_MEMORY };
// A packed event. STREAM_FULL: only by STREAM_DISCONNECT. Without memory nothing is put.
enum stream_put stream_queue_put(struct stream_queue *queue, enum stream_policy policy,
                                 const struct stream_entry *event, const void *bytes);
// A gap behind what is there, up to `sequence`; `time_ns` is the log's then. False without memory.
bool stream_queue_put_gap(struct stream_queue *queue, const struct gap *gap, uint64_t sequence,
                          int64_t time_ns);
// Takes the first entry, the caller's to free; NULL = none.
struct stream_entry *stream_queue_take(struct stream_queue *queue);
