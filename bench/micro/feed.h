// Batches for a shard, made as dispatch makes them: frames decoded, keyed and hashed. Filling one is not
// timed; the calls into the shard are.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "micro/frame_set.h"
#include "pipeline/shard.h"
#include "traffic/conversation.h"

enum { FEED_BATCH = 256 };

struct feed {
    struct shard *shard;
    struct batch batch;
    struct shard_report report; // of the last tick
    int64_t now_ns;
    uint64_t number;   // of the last packet
    int64_t spent_ns;  // in the shard
    int64_t batch_ns;  // the last batch, by the wall clock
    int64_t thread_ns; // the last batch, by the thread's
    uint8_t frames[FEED_BATCH][CONVERSATION_FRAME_BYTES];
};

// A shard that owns all partitions, with all quality. `names`: as in netscope, with names and top flows.
void feed_init(struct feed *feed, bool names);
void feed_done(struct feed *feed);

void feed_frame(struct feed *feed, const struct set_frame *frame, const uint8_t *bytes);
// A microsecond after the packet before it.
void feed_conversation(struct feed *feed, uint64_t flow, unsigned step);

static inline bool feed_full(const struct feed *feed)
{
    return feed->batch.count == FEED_BATCH;
}

// Hands the batch over and empties it.
void feed_send(struct feed *feed);
// Ends a tick and takes what ended; returns the flows taken.
uint64_t feed_tick(struct feed *feed, bool last);

// `step` of all flows; returns nanoseconds a packet.
double feed_round(struct feed *feed, uint64_t flows, unsigned step);
