// The interfaces of a live capture: what its targets name, followed through the links that come, go and change. Opens,
// settles and closes handles aside of the thread that reads them. The keeper's; before it starts, whoever makes the
// source. Each wanted interface has a place (live_places.h); live_change.h is what others may ask of the set.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/live/link_names.h"
#include "capture/live/link_watch.h"
#include "capture/live/live_exchange.h"
#include "capture/live/live_handle.h"
#include "capture/live/live_numbers.h"
#include "capture/live/live_rings.h"
#include "capture/live/live_targets.h"

enum place_state {
    PLACE_CLOSED,   // the interface is missing or down, or was not tried yet
    PLACE_SETTLING, // activated: its ring is being emptied of what the filter leaves out
    PLACE_READ,     // the source has it
    PLACE_LEAVING,  // the source has it, and is to give it back
};

// An interface that is wanted.
struct live_place {
    char device[64];
    char word[LIVE_WORD_BYTES]; // behind which it was found
    enum place_state state;
    bool by_glob;               // forgotten once its interface is gone
    bool unwanted;              // forgotten once it is closed
    struct error failure;       // why it could not be opened, which was said; its kind NONE = it could
    struct live_handle *handle; // NULL = closed
    uint64_t ring_bytes;        // behind a glob
    int64_t retry_at_ns;        // closed: not opened before
    int64_t settled_by_ns;      // settling: done then at the latest
};

struct live_set {
    struct capture_settings *settings; // its own
    struct live_exchange *exchange;    // borrowed
    struct link_watch *links;
    struct link_names *names;
    struct live_numbers numbers;
    struct live_targets targets;
    struct live_place *places[LIVE_INTERFACES_MAX];
    unsigned places_count;
    uint64_t limit_bytes, glob_ring_bytes;
    int64_t follow_at_ns, count_at_ns; // when it is due, even if no link has changed
    bool crowded, cramped;             // too many interfaces, smaller rings: said once
    bool running;                      // the start is over
    bool sealed;                       // nothing is opened any more (capture.fixed)
    bool closed_one;                   // since it was last asked whether anything is left
    struct source_drops stopped;       // what was counted by those that were stopped
    char starting[LIVE_WORD_BYTES];    // the word that a start added; "" = none
};

// Opens what the settings name, and waits until it is captured. Starts with a zeroed set; after a failure it is closed
// all the same.
bool live_set_open(struct live_set *set, const struct capture_settings *settings,
                   struct live_exchange *exchange, struct error *error);
// The source reads nothing any more.
void live_set_close(struct live_set *set);

// Goes on with all that is due: links that changed, handles that came back, rings that have settled.
void live_set_step(struct live_set *set);
// For how long nothing is due.
int live_set_wait_ms(const struct live_set *set);
// Whether something is captured or may still be.
bool live_set_is_pending(const struct live_set *set);

// Finds the interfaces of all targets, and of those the ones that are not captured yet are tried.
void live_set_add_places(struct live_set *set);
void live_set_follow(struct live_set *set);
