// A tap hands copies of frames to a consumer with a writer thread of its own: the recorder, the packet
// lines; or to a consumer that takes them itself, when it likes: a client's stream. Between them lies a bounded ring;
// when it is full the producer waits (a file) or drops and counts (a NIC), so that nothing a writer or its disk does
// stalls live capture. For some consumers a file does not wait either.
// tap_offer() by one thread only, the source's; the consumer's row is called by the tap's thread only, but for `wants`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/source.h"

struct tap;
struct tap_consumer;

struct tap_consumer_ops {
    const char *name;      // of the thread: at most 15 characters
    bool never_waited_for; // a file does not wait either
    // The source's thread, for each frame: whether it is wanted, and with how many bytes (*captured, given as what is at
    // hand). What is not is not counted. NULL = all of it.
    bool (*wants)(struct tap_consumer *consumer, const struct frame *frame, uint64_t number,
                  uint32_t *captured);
    // One frame, borrowed for the call; frame->chunk is NULL. False = not written; counted. NULL: there is no thread,
    // the owner takes frames by tap_take(); then `flush` and `finish` are NULL too.
    bool (*packet)(struct tap_consumer *consumer, const struct frame *frame, uint64_t number);
    void (*flush)(
        struct tap_consumer *consumer); // each second at least, and in a lull of 50 ms after packets
    // The end. False with a sentence when the output is incomplete; *unwritten (0 before) = frames that
    // packet() took and that could not be written after all.
    bool (*finish)(struct tap_consumer *consumer, uint64_t *unwritten, struct error *error);
    void (*destroy)(struct tap_consumer *consumer);
};

struct tap_consumer {
    const struct tap_consumer_ops *ops;
};

struct tap_counts {
    uint64_t offered; // = dropped + written + failed, after tap_finish()
    uint64_t dropped; // the ring was full
    uint64_t written;
    uint64_t failed; // the consumer could not write them
};

enum { TAP_RING_BYTES = 16 * 1024 * 1024 };

// Takes the consumer (destroyed with the tap, on failure too). NULL with a sentence (ERROR_UNAVAILABLE).
struct tap *tap_create(struct tap_consumer *take_consumer, size_t ring_bytes, struct error *error);

// `number` counts packets from 1. False = dropped, or not wanted.
bool tap_offer(struct tap *tap, const struct frame *frame, uint64_t number, bool wait);

// Of a tap without a thread: the next frame, borrowed until tap_release(); false = none is there now. One thread at a time.
bool tap_take(struct tap *tap, struct frame *frame, uint64_t *number);
void tap_release(struct tap *tap);

// Lets the writer write what is in the ring, and joins it. False with the consumer's sentence, or when
// packets were dropped. At most once.
bool tap_finish(struct tap *tap, struct error *error);
struct tap_counts tap_counts(const struct tap *tap); // any thread
void tap_destroy(struct tap *tap);                   // finishes when that was not done; takes NULL
