// A source hands over frames: live interfaces, capture files. One thread (the source
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
// The kernel's numbers of links are told apart modulo this; their names have so many bytes.
enum { SOURCE_LINKS = 0x7fff, SOURCE_LINK_NAME_BYTES = 16 };

// What is known of one capture interface. What its number means, and where it lies, stays while anybody may
// remember the number: that of an interface that is gone for good is given to another one an hour later at the
// earliest, and then the one that was gone longest. Words of the settings have a number too, which stays for ever.
struct source_interface {
    char name[64];       // the kernel's name; of a file: its IDB's if_name, else its label
    char configured[64]; // the word of the settings behind it (a glob: "cali*"); of a file: as `name`
    uint16_t word;       // live: the number of that word, where the ledger puts what is gone
    uint16_t link_type;
    uint32_t snaplen;
    atomic_uint kernel_index; // live; 0 = none
    atomic_bool up;           // live; a file's is always up
};

// What one interface counted since it was asked last. A file has interface_dropped only, where it records it. Live, the
// first three are what the kernel gives, the others are counted here. With `exact`, added up until `left`:
// received = delivered + kernel_dropped + no_chunk + unread.
struct source_drops {
    uint16_t interface;
    bool left;         // it is gone or was stopped, while others go on: the number counts nothing more
    bool exact;        // false where libpcap hides what the kernel counts ("any"; a filter in user space)
    uint64_t received; // passed the filter, drops by the ring included
    uint64_t kernel_dropped;    // no room in the ring
    uint64_t interface_dropped; // by the NIC or its driver: outside the ledger
    uint64_t delivered;         // handed over by poll
    uint64_t no_chunk;          // taken off the ring with no chunk free to hold them
    uint64_t unread;            // still in the ring when the capture was stopped
};

struct capture_settings;

enum source_result {
    SOURCE_FRAMES, // *count frames (1 or more)
    SOURCE_IDLE,   // nothing within the timeout, or no chunk is free: send the batches you hold
    SOURCE_RESTS, // the last frame was handed over, and the source is kept open; first at once, then after the timeout
    SOURCE_END, // the last frame was handed over; source_verdict() tells how it ended
};

struct source;

struct source_ops {
    const char *name;
    bool lossless; // it waits for the pipeline (a file) instead of dropping (a NIC)
    enum source_result (*poll)(struct source *source, int timeout_ms, struct frame *frames, unsigned capacity,
                               unsigned *count);
    unsigned (*interfaces)(const struct source *source);
    const struct source_interface *(*interface)(const struct source *source, unsigned index);
    // The source thread, between polls: what the interfaces counted, one a call; `first` begins anew, false = no
    // more. Costs what is open. What the kernel counted may be a second old while the source runs.
    bool (*drops)(struct source *source, bool first, struct source_drops *out);
    // The coming polls end the source. With `drain`, a live one first hands over what is in its rings
    // (65536 frames an interface at most); what is left is counted as unread.
    void (*stop)(struct source *source, bool drain);
    // With `on` the source goes on when no interface is left, when its files were read; without (at the start) it ends
    // then. NULL = it cannot. Any thread.
    void (*keep_open)(struct source *source, bool on);
    // ERROR_NONE, or with a sentence ERROR_DATA_LOSS, ERROR_UNAVAILABLE, ERROR_NOT_FOUND...
    enum error_kind (*verdict)(const struct source *source, struct error *error);
    void (*destroy)(struct source *source);
    const struct source_control *control; // NULL = nothing can be changed while it runs (a file)
};

// What a live source does while it runs. Any thread but the source's; the caller waits, for seconds at most and for a
// tick where something is stopped (ERROR_DEADLINE_EXCEEDED: a start or stop that was begun goes on, settings are not in
// force), the capture never.
struct source_control {
    // Captures on a word as in capture.interfaces: a name, a glob, "any", "auto". One that is captured already is
    // fine. Missing interfaces are ERROR_NOT_FOUND unless they are waited for (capture.on_missing).
    bool (*start)(struct source *source, const char *word, struct error *error);
    // Ends what start() or the settings began, by the same word. With `drain` what is in the rings is handed over,
    // else it counts as unread. `verdict`: what its interfaces counted since they were opened last.
    bool (*stop)(struct source *source, const char *word, bool drain, struct source_drops *verdict,
                 struct error *error);
    // Brings filter, interfaces and exclude_interfaces in line; what else differs holds for interfaces that are
    // opened from then on. All is checked first: on failure nothing has changed. Words that start() added and the
    // settings do not name are stopped, which goes on behind the answer.
    bool (*reconfigure)(struct source *source, const struct capture_settings *settings, struct error *error);
    // The name of the kernel's link, by its number modulo SOURCE_LINKS, also of one that is gone; false = not known.
    // Known while "any" is captured.
    bool (*link_name)(const struct source *source, uint32_t link, char name[SOURCE_LINK_NAME_BYTES]);
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

static inline enum error_kind source_verdict(const struct source *source, struct error *error)
{
    return source->ops->verdict(source, error);
}

static inline bool source_cannot(struct error *error)
{
    return error_set(error, ERROR_FAILED_PRECONDITION,
                     "a capture file is read: only a live capture can be changed while it runs");
}

static inline bool source_start(struct source *source, const char *word, struct error *error)
{
    const struct source_control *control = source->ops->control;
    return control != NULL ? control->start(source, word, error) : source_cannot(error);
}

static inline bool source_stop_one(struct source *source, const char *word, bool drain,
                                   struct source_drops *verdict, struct error *error)
{
    const struct source_control *control = source->ops->control;
    return control != NULL ? control->stop(source, word, drain, verdict, error) : source_cannot(error);
}

static inline bool source_reconfigure(struct source *source, const struct capture_settings *settings,
                                      struct error *error)
{
    const struct source_control *control = source->ops->control;
    return control != NULL ? control->reconfigure(source, settings, error) : source_cannot(error);
}

static inline void source_keep_open(struct source *source, bool on)
{
    if (source->ops->keep_open != NULL)
        source->ops->keep_open(source, on);
}

static inline bool source_link_name(const struct source *source, uint32_t link,
                                    char name[SOURCE_LINK_NAME_BYTES])
{
    return source->ops->control != NULL && source->ops->control->link_name(source, link, name);
}

static inline void source_destroy(struct source *source)
{
    if (source != NULL)
        source->ops->destroy(source);
}
