// The interfaces of a live capture: what the settings name, followed through the links that come, go and
// change. Owned by the live source; its thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/live/interface_list.h"
#include "capture/live/link_watch.h"
#include "capture/live/live_handle.h"
#include "config/settings.h"

enum { LIVE_TARGETS_MAX = 64, LIVE_INTERFACES_MAX = 256 };

enum target_kind { TARGET_NAME, TARGET_GLOB, TARGET_AUTO, TARGET_CHOSEN }; // chosen: an auto that found one

// A word of capture.interfaces.
struct live_target {
    const char *word;
    enum target_kind kind;
};

struct live_set {
    const struct capture_settings *settings;
    struct link_watch *links;
    struct live_target targets[LIVE_TARGETS_MAX];
    unsigned targets_count;
    struct live_handle *handles[LIVE_INTERFACES_MAX];
    unsigned handles_count;
    bool crowded;        // more interfaces than handles: said once
    int64_t retry_at_ns; // when to follow even if no link has changed
    char reason[160];    // why auto chose its interface
    struct interface_list rows;
};

// Starts with a zeroed set; after a failure it is closed all the same.
bool live_set_open(struct live_set *set, const struct capture_settings *settings, struct error *error);
void live_set_close(struct live_set *set);

// Brings the handles in line with the links: marks those that are gone, opens what came or came up.
void live_set_follow(struct live_set *set);
// Closes the handle of an interface that is gone.
void live_set_remove(struct live_set *set, unsigned at);
// After a read that failed: opens the handle afresh, unless its interface is only down.
void live_set_mend(struct live_set *set, struct live_handle *handle);
// Whether something is captured or may still be.
bool live_set_is_pending(const struct live_set *set);

// Within this time the kernel gives out a block of the ring that it was filling.
int64_t live_block_time_ns(const struct capture_settings *settings);
