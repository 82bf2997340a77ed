// The statistics line: with stats.enabled one line an interval on stdout, then the top flows by bytes since
// the last line. A sink; the aggregate thread calls it.
#pragma once

#include "aggregate/sink.h"
#include "config/settings.h"
#include "control/control.h"

struct terminal;

// Settings, control and terminal are borrowed.
struct sink *stats_line_create(const struct stats_settings *settings, const struct control *control,
                               struct terminal *terminal);
