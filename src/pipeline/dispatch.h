// Dispatch: the source thread's half of the pipeline. It decodes every frame once, in its place in the open
// batch, gives it its time, its flow key and the shard that owns the key's partition. It cuts ticks and keeps
// the source's side of the totals. One thread; no I/O.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "capture/clock.h"
#include "capture/source.h"
#include "decode/decode.h"
#include "decode/fragments.h"
#include "flow/policy.h"
#include "pipeline/batch.h"
#include "pipeline/ledger.h"
#include "pipeline/totals.h"

struct tap;

enum { TICK_PACKETS = 65536, DATAGRAMS_KNOWN = 4096, DISPATCH_TAPS = 16 };

// Takes a batch that is full or ends a tick (or NULL), and gives an empty one to fill; NULL when there is
// none and `wait` is false.
typedef struct batch *deliver_function(void *owner, struct batch *batch, bool wait);

struct dispatch_settings {
    struct decode_options decode;
    uint64_t hash_seed, index_seed; // see struct flow_policy
    unsigned shards, partitions;
    int64_t tick_ns;
    uint32_t tick_packets;     // a tick ends after so many at the latest; 0 = TICK_PACKETS
    unsigned datagrams;        // in fragments that are known at a time; 0 = DATAGRAMS_KNOWN
    uint64_t packet_limit;     // run.count; 0 = none
    int64_t interval_ns;       // of totals->interval_end; 0 = none
    bool lossless;             // time is the packets' (a file), and everything waits
    const struct source *live; // whose interfaces the ledger follows; NULL = a file's, which stay
};

struct dispatch {
    struct dispatch_settings settings;
    deliver_function *deliver;
    void *owner;
    struct batch *open;        // NULL = the shards are behind and none is free (live)
    struct batch_item nowhere; // for packets that are counted and dropped then
    uint8_t shard_of[FLOW_PARTITIONS];
    struct fragments *fragments;
    struct chunk_pool *datagrams; // for those that were put together
    struct chunk *datagram;       // being filled; NULL at first
    struct packet_clock clock;
    struct live_clock live; // of a live run
    int64_t now_ns, tick_end_ns, interval_begin_ns;
    uint64_t number; // of the last packet
    uint64_t tick;
    unsigned tick_packets;
    struct tap *taps[DISPATCH_TAPS];
    unsigned tap_count;
    struct totals *totals;
    struct ledger ledger; // of its interfaces
};

// `open` is the first batch to fill, borrowed. `totals` is written by this thread only.
bool dispatch_init(struct dispatch *dispatch, const struct dispatch_settings *settings, struct batch *open,
                   struct totals *totals, deliver_function *deliver, void *owner);
void dispatch_done(struct dispatch *dispatch);
// What is kept of so many datagrams in fragments, with the chunks of those that were put together; touched as it is used.
uint64_t dispatch_datagram_bytes(unsigned datagrams);

// Every frame goes into the tap too, in order.
void dispatch_add_tap(struct dispatch *dispatch, struct tap *tap);
void dispatch_remove_tap(struct dispatch *dispatch, struct tap *tap);

// From the next tick on; 0 = none.
void dispatch_set_interval(struct dispatch *dispatch, int64_t interval_ns);

// How long the source may wait for frames, and that it has waited.
int dispatch_wait_ms(const struct dispatch *dispatch);
void dispatch_polled(struct dispatch *dispatch);

// One frame, in the source's order. False when run.count is reached: the frame was not taken.
bool dispatch_frame(struct dispatch *dispatch, const struct frame *frame);
// Nothing came, nothing more is there now, or the source waits for chunks: sends the packets that wait for a
// full batch. Live, time goes on and a tick may end.
void dispatch_idle(struct dispatch *dispatch);
// All was handed over, and the source is kept open: a tick, so that what came is known.
void dispatch_rest(struct dispatch *dispatch);
// The end of the source: the last tick.
void dispatch_end(struct dispatch *dispatch);
