// --synthetic-flows N: fills the flow table with N flows of one packet each and prints how long an insertion
// took and how much memory a flow takes. A benchmark of the real table through a real shard.
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "config/settings.h"

bool synthetic_flows_run(const struct settings *settings, uint64_t flows, struct error *error);
