// A source hands over frames: live interfaces, capture files, synthetic traffic. One thread (the source
// thread) polls it; ops are the row a kind of source fills in. source_stop() may be called from any
// thread and from a signal handler.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/chunk.h"

// One frame. The bytes lie in `chunk`, which lives at least until the next poll; who keeps the frame
// longer takes a reference with chunk_retain().
struct frame {
    int64_t time_ns; // the frame's own stamp
    const uint8_t *bytes;
    uint32_t captured, length;
    uint16_t interface; // index for source_interface()
    uint16_t link_type; // LINKTYPE number, as in files
    struct chunk *chunk;
};

enum { FRAME_CAPTURED_MAX = 262144, SOURCE_INTERFACES_MAX = 4096 };

// What is known of one capture interface. Index and address stay, and so does what it is called.
struct source_interface {
    char name[64];       // the kernel's name; of a file: its IDB's if_name, else its label
    char configured[64]; // the word of the settings behind it (a glob: "cali*"); of a file: as `name`
    uint16_t link_type;
    uint32_t snaplen;
    uint32_t kernel_index; // live; 0 = none
    atomic_bool up;        // live; a file's is always up
};

// Totals of one interface since the start (live only; zero for others). The first three are what the
// kernel and libpcap give, in 64 bits, across wraps and reopening; the others are counted here. With
// `exact`, after the end: received = delivered + kernel_dropped + no_chunk + unread.
struct source_drops {
    uint64_t received;          // passed the filter, drops by the ring included
    uint64_t kernel_dropped;    // no room in the ring
    uint64_t interface_dropped; // by the NIC or its driver: outside the ledger
    uint64_t delivered;         // handed over by poll
    uint64_t no_chunk;          // taken off the ring with no chunk free to hold them
    uint64_t unread;            // still in the ring when the source was stopped
    bool exact;                 // false for "any": libpcap hides half of what the loopback counts
};

enum source_result {
    SOURCE_FRAMES, // *count frames (1 or more)
    SOURCE_IDLE,   // nothing within the timeout, or no chunk is free: send the batches you hold
    SOURCE_END,    // the last frame was handed over; source_verdict() tells how it ended
};

struct source;

struct source_ops {
    const char *name;
    bool lossless; // it waits for the pipeline (a file) instead of dropping (a NIC)
    enum source_result (*poll)(struct source *source, int timeout_ms, struct frame *frames, unsigned capacity,
                               unsigned *count);
    unsigned (*interfaces)(const struct source *source);
    const struct source_interface *(*interface)(const struct source *source, unsigned index);
    // What the kernel counted may be a second old while the source runs.
    void (*drops)(struct source *source, unsigned interface, struct source_drops *out);
    // The coming polls end the source. With `drain`, a live one first hands over what is in its rings
    // (65536 frames an interface at most); what is left is counted as unread.
    void (*stop)(struct source *source, bool drain);
    // ERROR_NONE, or with a sentence ERROR_DATA_LOSS, ERROR_UNAVAILABLE, ERROR_NOT_FOUND...
    enum error_kind (*verdict)(const struct source *source, struct error *error);
    void (*destroy)(struct source *source);
};

struct source {
    const struct source_ops *ops;
};

static inline enum source_result source_poll(struct source *source, int timeout_ms, struct frame *frames,
                                             unsigned capacity, unsigned *count)
{
    return source->ops->poll(source, timeout_ms, frames, capacity, count);
}

static inline unsigned source_interfaces(const struct source *source)
{
    return source->ops->interfaces(source);
}

static inline const struct source_interface *source_interface(const struct source *source, unsigned index)
{
    return source->ops->interface(source, index);
}

static inline void source_stop(struct source *source, bool drain)
{
    source->ops->stop(source, drain);
}

struct capture_settings;

// Brings filter and interfaces in line with the settings. Any thread but the source's, which the caller waits for.
static inline bool source_reconfigure(struct source *source, const struct capture_settings *settings,
                                      struct error *error)
{
    (void)settings;
    return error_set(error, ERROR_FAILED_PRECONDITION,
                     "the %s capture keeps filter and interfaces until the next start", source->ops->name);
}

static inline enum error_kind source_verdict(const struct source *source, struct error *error)
{
    return source->ops->verdict(source, error);
}

static inline void source_destroy(struct source *source)
{
    if (source != NULL)
        source->ops->destroy(source);
}
