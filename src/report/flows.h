// The part of the report that counts flow records: hosts, services, failed connections, the largest, most
// retransmitting and slowest flows. Internal to the report; one thread.
#pragma once

#include "report/summary.h"
#include "report/tally.h"
#include "report/top.h"

struct report_flows {
    unsigned top;
    struct tally hosts, services, targets;
    struct report_top largest, retransmitting, slow; // of struct report_flow
    struct report_tcp tcp;
    uint64_t protocol_flows[256];
    struct report_application applications[FLOW_APPS];
};

bool report_flows_init(struct report_flows *flows, unsigned top);
void report_flows_done(struct report_flows *flows);
// A run of events, in their order, of at most FLOW_BLOCK_EVENTS.
void report_flows_run(struct report_flows *flows, const struct flow_event *events, unsigned count);

// The lists of the summary; false without memory. What it allocates is freed by report_flows_free().
bool report_flows_finish(struct report_flows *flows, struct report_summary *summary);
void report_flows_free(struct report_summary *summary);
