// One filter for all handles of a live set that are open: every one of them gets it, or none. The keeper's. In two steps,
// for a handle whose filter is libpcap's business (`any`) takes it from the thread that reads.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "capture/live/live_set.h"

// Checks the filter for every handle, and asks the thread that reads to set it where only that can. False with a
// sentence: nothing was asked.
bool live_set_filter_ask(const struct live_set *set, const char *filter, struct error *error);
bool live_set_filter_is_answered(const struct live_set *set);
// Once that is answered: gives every handle the filter, or, when one does not take it, all what they had.
bool live_set_filter_put(const struct live_set *set, const char *filter, struct error *error);
