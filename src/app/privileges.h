// The privileges of a run. Whoever starts it as root gives it all capabilities; after the start it gives up all but the
// one to open interfaces (base/capabilities.h).
#pragma once

#include "config/settings.h"

// Before anything is opened: finds out whether the run would come to files of other users that it could not open later
// without capabilities (inputs are opened in turn; outputs are rotated, opened anew on SIGHUP, written at the end).
void privileges_begin(const struct settings *settings);
