// Opening and closing handles: what may take long. The keeper's, at the start whoever makes the source. The capability
// to open (CAP_NET_RAW) is raised here and nowhere else.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/live/live_handle.h"
#include "config/settings.h"

enum live_open_result {
    LIVE_OPENED,
    LIVE_MISSING,
    LIVE_DOWN,
    LIVE_NO_PERMISSION,
    LIVE_BAD_FILTER,
    LIVE_FAILED,
};

// What to open.
struct live_order {
    const char *device;
    const struct capture_settings *settings;
    uint32_t kernel_index;
    uint64_t ring_bytes;
    bool loopback;
};

// A handle that was activated; NULL with the reason in *result and a sentence. With `settling` the ring took what the
// filter would have left out: now nothing more gets in, and until live_open_settle() has seen to it that the ring is
// empty no filter may be set.
struct live_handle *live_open(const struct live_order *order, bool *settling, enum live_open_result *result,
                              struct error *error);
// Whether the process may capture at all; else a sentence that names what it would have captured.
bool live_open_is_permitted(const char *what, struct error *error);
// Throws away what the ring holds. True when it is known to be empty, or is taken to be (`late`).
bool live_open_settle(struct live_handle *handle, bool late);
// Sets the filter and opens the ring. False with a sentence.
bool live_open_finish(struct live_handle *handle, const char *filter, struct error *error);
// Unmaps the ring, which takes a while. Takes NULL.
void live_close(struct live_handle *handle);

// Brings what the NIC dropped up to date.
void live_open_count(struct live_handle *handle);

// Within this time the kernel gives out a block of the ring that it was filling.
int64_t live_block_time_ns(const struct capture_settings *settings);
