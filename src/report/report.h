// The report of a run, built while records leave: a sink row that counts final flow records and DNS
// answers. Everything is bounded: best-of lists of `top` rows, and counting tables that give up their
// smallest half when full and say so. Called by the aggregate thread. The result depends on the order of
// the calls only when a table overflows, and then the order of the outputs (end time, key) fixes it.
// Cost: about a microsecond a flow, nothing a packet.
#pragma once

#include "report/summary.h"

struct report;

// `top`: rows a list has at most, 1 or more. NULL without memory.
struct report *report_create(unsigned top);
void report_destroy(struct report *report);

// The row for the aggregate; its destroy operation is report_destroy().
struct sink *report_sink(struct report *report);

// After the sink's finish(): the summary, owned by the report. The context's texts must outlive it. Called
// once. NULL without memory.
const struct report_summary *report_finish_summary(struct report *report,
                                                   const struct report_context *context);
