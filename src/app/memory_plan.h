// The memory plan: what a run with these settings may use at most, piece by piece, held against the limit
// of the process's cgroup. The pieces that can are made to fit
// (control/shares.h); a run whose plan exceeds the limit all the same does not begin. Main thread, at start.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "config/settings.h"

// Fails when it exceeds the limit.
bool memory_plan_check(const struct settings *settings, struct error *error);
// Adds the plan, each line behind `line_prefix`. Fails when it exceeds the limit.
bool memory_plan_add(struct strbuf *into, const struct settings *settings, const char *line_prefix,
                     struct error *error);
