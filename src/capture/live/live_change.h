// Changes of a live capture while it runs, as source_control says. The keeper's. Each begins the change; a start or a
// stop is done when nothing is on its way any more.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "capture/live/live_set.h"

// False: nothing was begun.
bool live_change_start(struct live_set *set, const char *word, struct error *error);
bool live_change_stop(struct live_set *set, const char *word, bool drain, struct error *error);

// Settings take two steps. The first one checks all, and asks who reads for the filter where only that can set it
// (`any`); once that is answered, the second one puts all in force or, on failure, nothing. In between they can be taken
// back.
bool live_change_settings(struct live_set *set, const struct capture_settings *settings, struct error *error);
bool live_change_enact(struct live_set *set, const struct capture_settings *settings, struct error *error);
void live_change_take_back(struct live_set *set, const struct capture_settings *settings);

// No ring settles: what can be captured is.
bool live_change_is_settled(const struct live_set *set);
// And nothing that was stopped is being drained or waits for a tick to count it.
bool live_change_is_done(const struct live_set *set);
// After a start that is done: false with a sentence when the interface could not be opened after all; then it is
// forgotten.
bool live_change_started(struct live_set *set, struct error *error);
