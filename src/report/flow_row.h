// One flow of the report's lists: how it is ordered and what is kept of it. Internal to the report.
#pragma once

#include "report/summary.h"

// Greater scores first, then as flow_record_compare(). Looks at nothing but score and record.
int report_flow_compare(const void *left, const void *right);
void report_flow_fill(struct report_flow *row, uint64_t score, const struct named_flow *flow);
