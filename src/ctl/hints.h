// Values that a sensor knows for a filter that is being written: FlowService.FilterHints, asked within a second.
#pragma once

struct strbuf;

// Adds those that begin with the prefix, a line each. Which sensor is asked say the words before: --server and so on.
// Nothing when it does not answer: a completion complains of nothing.
void hints_add(struct strbuf *into, int hint, const char *prefix, char *const words[], int count);
