// The parts of report_text.c that have files of their own. Each adds its sections, with an empty line in
// front, or nothing.
#pragma once

#include "report/summary.h"

struct strbuf;

void report_add_alerts(struct strbuf *into, const struct report_summary *summary);
void report_add_flows(struct strbuf *into, const struct report_summary *summary);
void report_add_names(struct strbuf *into, const struct report_summary *summary);
