// The sentences of the report: warnings about the capture, headlines about the traffic. Internal to the
// report. Pure; reads the finished figures of the summary.
#pragma once

#include "report/summary.h"

void report_findings(struct report_summary *summary);
