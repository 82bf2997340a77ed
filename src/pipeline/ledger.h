// The ledger of a run: the source's losses go into the totals, and at the end everything is held against what
// libpcap counted. An interface has a row of totals->interface while it is there; when it is gone for good, its row is
// added to that of its word ("cali*") and given to another one. So a tick costs what is open, and any number of
// interfaces over a run is counted exactly. Live, with more at a time than rows, further ones count in their word's.
// The source thread's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/source.h"
#include "pipeline/totals.h"

struct ledger {
    struct totals *totals;
    const struct source *live;              // NULL = a file's interfaces, which stay
    uint16_t row_of[SOURCE_INTERFACES_MAX]; // + 1; 0 = none yet
};

enum { LEDGER_WORDS_ROW = UINT16_MAX }; // in row_of: it counts in its word's row

// Totals and source are borrowed; a live one, or NULL.
void ledger_init(struct ledger *ledger, struct totals *totals, const struct source *live);

// The row of totals->interface for an interface of the source. Valid until the next one.
struct interface_totals *ledger_find_row(struct ledger *ledger, unsigned interface);
static inline struct interface_totals *ledger_row(struct ledger *ledger, unsigned interface)
{
    unsigned row = ledger->row_of[interface];
    bool plain = row != 0 && row != LEDGER_WORDS_ROW;
    return plain ? &ledger->totals->interface[row - 1] : ledger_find_row(ledger, interface);
}

// Live: what was lost since the last time, by interface and cause.
void ledger_take_drops(struct ledger *ledger, struct source *source);
// Live: a frame that was handed over found no batch.
void ledger_count_no_batch(struct ledger *ledger, unsigned interface);
// Live: frames behind run.count are left out.
void ledger_count_unwanted(struct ledger *ledger, const struct frame *frames, unsigned count);

// False with a sentence when a packet is in no bucket. `counted` are the source thread's totals, `merged`
// those of the end of the run.
bool ledger_check(const struct totals *counted, const struct totals *merged, const struct source *source,
                  struct error *error);
