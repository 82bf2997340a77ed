// What a live run prints at its end: packets, bytes, time, decode errors by reason, packets by protocol,
// every ledger bucket that is not zero.
#pragma once

#include <stdint.h>

#include "base/strbuf.h"
#include "control/control.h"

void run_summary_add(struct strbuf *into, const struct control *control, int64_t run_ns);
