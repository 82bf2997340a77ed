// Aggregate: takes what leaves the shards at each tick, makes events of the records (named, placed, identified) and
// gives them out a run at a time: into the event log and to the sinks, in order. One thread: the pipeline's aggregate
// thread, with one worker the source's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aggregate/alerting.h"
#include "aggregate/event_log.h"
#include "aggregate/sink.h"
#include "aggregate/snapshot.h"
#include "base/error.h"
#include "capture/source.h"
#include "config/settings.h"
#include "pipeline/pipeline.h"

struct aggregate;
struct name_loader;

enum { AGGREGATE_SINKS = 8, AGGREGATE_NAMES = 65536 }; // of DNS answers, at most

struct aggregate_bounds {
    uint64_t events; // of the log of flows
    uint32_t names;  // of addresses, of DNS answers
};

// Settings and source are borrowed. Fails on a names.file that cannot be read and on a networks.local that
// is no CIDR.
struct aggregate *aggregate_create(const struct settings *settings, const char *node,
                                   const struct source *source, uint64_t hash_seed,
                                   const struct aggregate_bounds *bounds, struct error *error);
void aggregate_destroy(struct aggregate *aggregate); // the sinks too

// Takes the sink.
void aggregate_add_sink(struct aggregate *aggregate, struct sink *sink);

// For pipeline_create().
struct tick_consumer *aggregate_consumer(struct aggregate *aggregate);

// The log of flow events in blocks of struct flow_block: for readers on any thread, which are
// gone before the aggregate is. Events are made while somebody reads it or a sink wants them.
struct event_log *aggregate_flow_events(struct aggregate *aggregate);
// The log of alerts, in blocks of struct alert_block: they stay for readers that come later.
struct event_log *aggregate_alert_events(struct aggregate *aggregate);
// Any thread: what detection follows from the next tick on.
void aggregate_change_alerts(struct aggregate *aggregate, struct alert_plan *take_plan);
// Which process's sequence numbers these are: random, of its start.
enum { INSTANCE_ID_BYTES = 16 };
const uint8_t *aggregate_instance_id(const struct aggregate *aggregate);

// The flows with the most bytes in the interval that ended last, largest first. For sinks, within tick().
const struct top_flow *aggregate_top_flows(const struct aggregate *aggregate, unsigned *count);

// What keeps the names of addresses up to date, for control.
struct name_loader *aggregate_names(struct aggregate *aggregate);

// Where the snapshots hang, for any thread.
struct snapshot_board *aggregate_snapshots(struct aggregate *aggregate);

// After the run: finishes every sink. False with the first failure's sentence; the others are logged.
bool aggregate_finish(struct aggregate *aggregate, const struct totals *totals, struct error *error);
