// The memory plan: what a run with these settings may use at most, piece by piece, held against the limit
// of the process's cgroup. Main thread, at start.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "config/settings.h"

// Adds the plan, each line behind `line_prefix`. Fails when it exceeds the limit.
bool memory_plan_add(struct strbuf *into, const struct settings *settings, const char *line_prefix,
                     struct error *error);
