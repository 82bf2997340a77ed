// The stop of a live source: its rings take nothing more in; what they hold is handed over, up to a limit, or read and
// counted as unread. Owned by the live source; its thread. Lasts the time of a block, a little longer on a loaded
// machine.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "capture/live/live_frames.h"
#include "capture/live/live_set.h"

enum { LIVE_DRAIN_FRAMES = 65536 }; // of an interface, at most, are handed over

struct live_drain {
    int64_t until_ns; // then the kernel has given out the blocks that it was filling
};

// Shuts the rings.
void live_drain_begin(struct live_drain *drain, struct live_set *set);
// Reads what is there; without `keep` only to count it. True when all rings are known to be empty or given up.
bool live_drain_read(const struct live_drain *drain, struct live_set *set, struct live_frames *frames,
                     bool keep);
// Sleeps until more may have come out, at most `timeout_ms` (negative = no limit).
void live_drain_wait(const struct live_drain *drain, int timeout_ms);
