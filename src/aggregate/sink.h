// A sink takes what leaves the pipeline: ended flow records, DNS transactions, the snapshot of a tick.
// Rows: exports and streamed records (export/), the report (aggregate/report.c). Called by the aggregate
// thread, in the order of the outputs. Arguments are borrowed for the call.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/source.h"
#include "flow/community_id.h"
#include "flow/dns_transaction.h"
#include "flow/record.h"
#include "pipeline/totals.h"

// A record as it leaves: named and placed.
struct named_flow {
    const struct flow_record *record;
    const char *node;                           // sensor.node_name
    const char *interface;                      // name of record->interface
    const char *name[2];                        // of the endpoints; NULL = none
    const char *name_space[2];                  // NULL = none
    uint8_t name_source[2];                     // 0 none, 1 names.file, 2 DNS: as NameSource in flow.proto
    uint8_t direction;                          // as Direction in flow.proto
    const char *observed[OBSERVED_INTERFACES];  // names of record->observed_at, record->observed of them
    char community_id[COMMUNITY_ID_TEXT_BYTES]; // "1:..." terminated; "" = not made yet
};

// The Community ID of a record. Made by the sink that keeps or writes it: it costs more than all the rest.
void named_flow_identify(const struct named_flow *flow, char into[COMMUNITY_ID_TEXT_BYTES]);

struct sink;

struct sink_ops {
    const char *name;
    void (*flow)(struct sink *sink, const struct named_flow *flow);               // NULL = not wanted
    void (*dns)(struct sink *sink, const struct dns_transaction *transaction);    // NULL = not wanted
    void (*tick)(struct sink *sink, const struct totals *totals, int64_t now_ns); // NULL = not wanted
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
