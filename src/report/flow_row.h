// One flow of the report's lists: how it is ordered and what is kept of it. Internal to the report.
#pragma once

#include "report/summary.h"

// What may become a row.
struct report_flow_candidate {
    uint64_t score;
    const struct flow_event *event;
};

// Greater scores first, then as flow_record_compare(): a candidate and a struct report_flow; a report_top_compare.
int report_flow_compare(const void *candidate, const void *row);
// Makes the row, whatever it was, one of the event. False without memory: then it has no texts.
bool report_flow_fill(struct report_flow *row, const struct report_flow_candidate *candidate);
// What only rows that are shown need: Community ID and display filter.
void report_flow_finish(struct report_flow *row);
void report_flow_done(struct report_flow *row);
