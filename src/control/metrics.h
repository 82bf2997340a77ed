// The counters of a run, as rows of a table (base/metric.h): read off frozen figures, so that whoever walks them sees
// one moment. Further tables come from the outputs and the door.
#pragma once

#include "base/metric.h"
#include "capture/source.h"
#include "pipeline/totals.h"

struct string_list;

struct run_figures {
    const struct totals *totals; // borrowed, as the source
    const struct source *source;
    uint64_t flow_capacity; // 0 = no cap
    double uptime_s;
    double lag_s; // since the end of the tick that the totals are of; live only
    bool live;
    unsigned queue_depth, queue_capacity;   // batches on their way to the shards
    const struct tick_durations *durations; // of the snapshot; NULL = not of one
    // Of the settings.
    bool reload_failed;   // the latest attempt
    double reload_time_s; // Unix time of the latest that did not; 0 = none
    uint64_t pending, overridden;
    const struct string_list *wanted; // capture.interfaces, borrowed; NULL = not known
};

// `held` of each row is a struct run_figures.
extern const struct metric run_metrics[];
extern const unsigned run_metric_count;

struct control;

// The figures of this moment, and the snapshot that they are of, until they are given back; NULL before the first tick
// and without memory. For the group of these rows; the owner is the control.
const void *run_figures_hold(void *owner);
void run_figures_release(void *owner, const void *held);

// What a thread of the run knows at its own tick: the totals are borrowed.
struct run_figures run_figures_of(struct control *control, const struct totals *totals, int64_t now_ns);

// The sum over one family, by its name.
uint64_t run_metric_sum(const struct run_figures *figures, const char *name);
