// What leaves the pipeline at a tick, as its consumer reads it: the reports of all shards, and the runs of their
// ended flows merged into the order of the outputs. Valid during the consumer's call, on its thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/shard_report.h"
#include "pipeline/totals.h"

enum { PIPELINE_WORKERS = 16 };

// A record on its way out, with what orders it against those of other shards: the end in flow time, which
// knows no steps of the clock, then its key.
struct ended_record {
    int64_t order_ns;
    struct flow_record record;
};

// One shard's part of a tick: its report, and its records read from the front (worker.h).
struct tick_run {
    const struct ended_record *(*next)(struct tick_run *run); // the next record; NULL = no more
    const struct ended_record *head;                          // the one that comes next
    const struct shard_report *report;
    unsigned dns_taken; // of the report
};

struct pipeline_tick {
    uint64_t number;
    int64_t now_ns;
    const struct totals *totals; // exact at this tick
    uint64_t generation;         // of settings: what every shard had in force
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
