// Keeps what the settings say of addresses (naming.h) up to date. A thread of its own looks at names.file every
// two seconds, loads it aside when it has changed and hands the whole over; the aggregate takes it between two ticks,
// by one exchange, and what it held before is freed aside, too. A file that cannot be loaded is said once, and the
// names that were there stay.
#pragma once

#include <stdbool.h>

#include "aggregate/naming.h"

struct name_loader;

// Loads at once: NULL with a sentence when that fails. Without `watching` (a file is read) there is no thread.
struct name_loader *name_loader_create(const struct names_settings *settings, bool watching,
                                       struct error *error);
// The aggregate is gone. Takes NULL.
void name_loader_destroy(struct name_loader *loader);

// Aggregate: gives back what it holds (NULL at first) for the newest there is, or for the same again. Never waits.
struct naming *name_loader_take(struct name_loader *loader, struct naming *held);

// Control: from now on it is this, as just loaded, and its file that is watched.
void name_loader_change(struct name_loader *loader, struct naming *take_naming);
