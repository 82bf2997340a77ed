// The report of a run as text for a terminal: 100 columns, about one screen, what stands out first. Empty
// sections vanish; every text from the wire or from file names is escaped. Pure; any thread.
#pragma once

#include "report/summary.h"

struct strbuf;

void report_text_add(struct strbuf *into, const struct report_summary *summary);
