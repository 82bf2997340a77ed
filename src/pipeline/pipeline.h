// The pipeline: one source, its dispatch, the shards, and what leaves them at each tick. pipeline_run() is
// the source thread. With one worker everything runs inline in it; with more a crew of threads runs the shards
// and the consumer's ticks come from the aggregate thread. The result is the same.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "capture/source.h"
#include "flow/policy.h"
#include "flow/query.h"
#include "pipeline/dispatch.h"
#include "pipeline/tick.h"

// Where ticks go: aggregate. The consumer takes every ended flow of the tick.
struct tick_consumer {
    void (*tick)(struct tick_consumer *consumer, struct pipeline_tick *tick);
};

struct pipeline_setup {
    struct flow_policy policy;
    struct decode_options decode;
    int64_t tick_ns;
    uint64_t packet_limit;
    unsigned workers;    // 1 to PIPELINE_WORKERS
    unsigned threads;    // that run them, besides the source's; 0 = as many
    unsigned batch;      // packets
    int64_t interval_ns; // of top flows and totals->interval_end; 0 = none
    bool names, top_flows;
};

struct pipeline;

// The source and the consumer are borrowed.
struct pipeline *pipeline_create(const struct pipeline_setup *setup, struct source *source,
                                 struct tick_consumer *consumer, struct error *error);
void pipeline_destroy(struct pipeline *pipeline);
void pipeline_add_tap(struct pipeline *pipeline, struct tap *tap);

// Runs to the end of the source (its end, source_stop(), run.count). Returns when the last tick was
// consumed. False when the ledger does not add up, with the figures.
bool pipeline_run(struct pipeline *pipeline, struct error *error);

// Any other thread, during the run: asks all shards about the flows that are alive and waits for their answer,
// which is the caller's to end. Packets are not held up: shards answer in slices between batches. False when
// nothing runs.
bool pipeline_ask(struct pipeline *pipeline, const struct flow_query *query, struct flow_answer *out,
                  struct error *error);

// Of the last tick that was consumed: exact after the run.
const struct totals *pipeline_totals(const struct pipeline *pipeline);
