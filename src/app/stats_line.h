// The statistics line: with stats.enabled one line an interval on stdout, then the top flows by bytes since
// the last line. A sink; the aggregate thread calls it.
#pragma once

#include "aggregate/sink.h"
#include "control/control.h"

struct terminal;

// Control and terminal are borrowed. Follows the settings while they change.
struct sink *stats_line_create(struct control *control, struct terminal *terminal);
