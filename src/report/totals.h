// The parts of the report that are read off the totals of the run: span, ledger, protocols, doubts.
// Internal to the report. Pure.
#pragma once

#include "report/summary.h"

// `flows` are the final records by IP protocol. summary->context is set already.
void report_totals_fill(struct report_summary *summary, const struct totals *totals,
                        const uint64_t flows[256]);
