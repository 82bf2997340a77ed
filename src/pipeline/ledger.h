// The ledger of a run: the source's losses go into the totals, and at the end everything is held against what
// libpcap counted.
#pragma once

#include "base/error.h"
#include "capture/source.h"
#include "pipeline/totals.h"

// The row of totals->interface for an interface of the source.
static inline unsigned ledger_row(unsigned interface)
{
    return interface < TOTALS_INTERFACES ? interface : TOTALS_INTERFACES - 1;
}

// Live: what was lost, by interface and cause. `totals` are the source thread's.
void ledger_take_drops(struct totals *totals, struct source *source);
// Live: frames behind run.count are left out.
void ledger_count_unwanted(struct totals *totals, const struct frame *frames, unsigned count);

// False with a sentence when a packet is in no bucket. `counted` are the source thread's totals, `merged`
// those of the end of the run.
bool ledger_check(const struct totals *counted, const struct totals *merged, const struct source *source,
                  struct error *error);
