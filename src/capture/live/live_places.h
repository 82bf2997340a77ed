// The places of a live set: interfaces that are wanted, each from its first try (closed) over a ring that settles to
// being read by the source, and back. The keeper's; before it starts, whoever makes the source. Opening takes long,
// settling goes on a step at a time.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "capture/live/live_open.h"
#include "capture/live/live_set.h"

enum { LIVE_RETRY_MS = 1000 }; // between two tries to open the same interface

struct live_place *live_places_find(const struct live_set *set, const char *device); // NULL = none
// Makes a place, closed, unless there is one; past the most there may be none is made, which is said once.
void live_places_add(struct live_set *set, const char *device, const char *word, bool by_glob);
// One that is closed goes, which moves the last one to where it was.
void live_places_forget(struct live_set *set, const struct live_place *place);

// Whether there is such an interface.
bool live_place_is_there(const struct live_set *set, const struct live_place *place);
// Opens one that is closed. LIVE_OPENED: the source has it, or its ring settles.
enum live_open_result live_place_try(struct live_set *set, struct live_place *place, struct error *error);
// The same when it is due; says, once a place, why it cannot be opened.
void live_place_try_again(struct live_set *set, struct live_place *place);

// The source, which has it, is to give it back.
void live_place_leave(struct live_set *set, struct live_place *place, enum live_wish how);
// Closes the handle of a place that the source does not have (any more), and forgets one that is wanted no more.
void live_place_close(struct live_set *set, struct live_place *place);
// It is wanted no more: ends at once or when the source is done with it; `how` is for one that the source has.
void live_place_end(struct live_set *set, struct live_place *place, enum live_wish how);

// Goes on with the rings that settle, and gives those that have to the source.
void live_places_settle(struct live_set *set);
// Closes those that the source gave back.
void live_places_take_back(struct live_set *set);
