// What leaves the pipeline at a tick, as its consumer reads it: the runs of all shards merged into the order
// of the outputs. Valid during the consumer's call, on its thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/top.h"
#include "pipeline/shard.h"
#include "pipeline/totals.h"

enum { PIPELINE_WORKERS = 16, TICK_TOP_FLOWS = 100 };

// One shard's part of a tick, read from its front. A row of two: the shard itself (inline), or what its
// thread sends (worker.h).
struct tick_run {
    const struct ended_record *(*next)(struct tick_run *run); // the next record; NULL = no more
    const struct ended_record *head;                          // the one that comes next
    struct dns_list dns;                                      // of the tick; owned by the run
    unsigned dns_taken;
    struct top_flow *top; // when the tick ends an interval
    unsigned top_count;
};

struct pipeline_tick {
    uint64_t number;
    int64_t now_ns;
    const struct totals *totals; // exact at this tick
    struct tick_run **runs;
    unsigned run_count;
    bool last;              // of the run: every flow has ended
    struct tick_run *taken; // the run whose head was handed out last; NULL = none
};

// Readies the runs of a tick: every `head` is read.
void tick_begin(struct pipeline_tick *tick);
// The next ended flow of all shards, in order; valid until the next call, but for its names, which are the caller's
// to free. NULL = no more.
const struct flow_record *tick_next_ended(struct pipeline_tick *tick);
// The next DNS transaction, in the order of packets; borrowed. NULL = no more.
const struct dns_transaction *tick_next_dns(struct pipeline_tick *tick);
// The flows with the most bytes in the interval that this tick ends (totals->interval_end), largest first.
unsigned tick_top_flows(const struct pipeline_tick *tick, struct top_flow *out, unsigned most);
