// A sink takes what leaves the pipeline on the aggregate's thread: flow events, DNS transactions, alerts, the totals of a
// tick. Rows: the report (report/report.c), the statistics line. Called in the order of the outputs; arguments are
// borrowed for the call. What writes to a disk reads the event log on a thread of its own instead (export/) and is a
// sink for its end only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aggregate/alert_event.h"
#include "aggregate/flow_event.h"
#include "base/error.h"
#include "capture/source.h"
#include "flow/dns_transaction.h"
#include "pipeline/totals.h"

struct sink;

struct sink_ops {
    const char *name;
    // A run of events, `count` of them in their order. Any of these may be NULL: not wanted.
    void (*run)(struct sink *sink, const struct flow_event *events, unsigned count);
    void (*dns)(struct sink *sink, const struct dns_transaction *transaction);
    void (*alert)(struct sink *sink, const struct alert_event *event); // as the alerts' log has it
    void (*tick)(struct sink *sink, const struct totals *totals, int64_t now_ns);
    // The end of the run: flush and close. False with a sentence when the output is incomplete.
    bool (*finish)(struct sink *sink, const struct totals *totals, struct error *error);
    void (*destroy)(struct sink *sink);
};

struct sink {
    const struct sink_ops *ops;
};

// The name of an observation (pipeline/observation.h) as users see it: the capture interface's, or the
// kernel's name behind an index of "any" ("if7" when the kernel knows none). Returns the source's own text
// or `into`.
enum { SINK_INTERFACE_BYTES = 64 };
const char *sink_interface_name(const struct source *source, uint16_t interface,
                                char into[SINK_INTERFACE_BYTES]);
