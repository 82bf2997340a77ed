// What the files of control/ share: control.c builds the run, asking.c asks it, change.c changes its settings. For these
// only.
#pragma once

#include <pthread.h>

#include "aggregate/aggregate.h"
#include "base/metric.h"
#include "capture/chunk.h"
#include "capture/own_connections.h"
#include "capture/source.h"
#include "control/change.h"
#include "control/control.h"
#include "control/generation.h"
#include "control/shares.h"
#include "pipeline/pipeline.h"

enum { NODE_NAME_BYTES = 256 };

struct control {
    const struct settings *settings; // of the start
    bool live;
    atomic_bool stopped;         // by control_stop()
    struct memory_shares shares; // of the start
    char node[NODE_NAME_BYTES];
    struct flow_policy policy; // of the start
    struct chunk_pool *chunks;
    struct own_connections *own;
    struct source *source;
    struct aggregate *aggregate;
    struct pipeline *pipeline;
    int64_t start_ns; // monotonic

    struct generation_board generations;
    pthread_mutex_t changing; // one change at a time; below it:
    struct settings file;     // what start or file said last
    bool capture_strays;      // it could not go back: what it does may not be what the settings say
    struct control_part part[CONTROL_PARTS];
    unsigned part_count;
    atomic_bool reload_failed;
    _Atomic int64_t reload_wall_ns; // of the latest success; 0 = none

    atomic_bool over;   // the run
    atomic_uint asking; // callers whose question is on its way

    struct metric_registry metrics;
};

// What settings say to the flow table; seed and what follows from the start stay.
struct flow_policy control_policy(const struct control *control, const struct settings *settings);
// The same for the pipeline.
int64_t control_interval_ns(const struct settings *settings);
bool control_lists_top_flows(const struct settings *settings);
// Whether the settings want a packet that is seen on several interfaces to count once: in force from a start on.
bool control_asks_first(const struct control *control, const struct settings *settings);
