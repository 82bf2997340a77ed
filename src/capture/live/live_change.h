// Changes of a live capture while it runs, as source_control says. The keeper's. Each begins the change; it is done
// when nothing is on its way any more.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "capture/live/live_set.h"

// False: nothing was begun.
bool live_change_start(struct live_set *set, const char *word, struct error *error);
bool live_change_stop(struct live_set *set, const char *word, bool drain, struct error *error);
bool live_change_settings(struct live_set *set, const struct capture_settings *settings, struct error *error);

// Nothing that was begun is on its way: no ring settles, none is drained because it was stopped, no filter waits.
bool live_change_is_done(const struct live_set *set);
// After a start that is done: false with a sentence when the interface could not be opened after all; then it is
// forgotten.
bool live_change_started(struct live_set *set, const char *word, struct error *error);
