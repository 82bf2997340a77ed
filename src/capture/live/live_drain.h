// The end of a handle: its interface is gone, or it is stopped. What its ring holds is handed over, up to a limit, or
// read and counted as unread. The source thread. Lasts the time of a block, a little longer on a loaded machine.
#pragma once

#include <stdbool.h>

#include "capture/live/live_frames.h"
#include "capture/live/live_handle.h"

void live_drain_begin(struct live_handle *handle, enum live_wish how, int64_t now_ns);
// Reads what is there. True when the ring is known to be empty or was given up: the handle has `left`.
bool live_drain_read(struct live_handle *handle, struct live_frames *frames);
