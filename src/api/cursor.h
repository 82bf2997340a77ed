// Cursors of streams: where in a log a client is. Text; which stream and start of which sensor it is of stands in the clear
// (whoever merges sensors may look), the place is sealed: a sequence tells how much there was. The filter may change from
// one use to the next. Any thread.
#pragma once

#include "api/call.h"

enum { CURSOR_BYTES = 80 };
enum cursor_log { CURSOR_FLOWS = 'f', CURSOR_ALERTS = 'a', CURSOR_PACKETS = 'p' };

enum cursor_kind {
    CURSOR_OURS,
    CURSOR_MALFORMED,
    CURSOR_OTHER_LOG,
    CURSOR_RESTARTED,    // of another start of this sensor
    CURSOR_OTHER_SENSOR, // of another node
};

// Everything before `next` is behind the client. False when it cannot be sealed.
bool cursor_write(const struct api *api, enum cursor_log log, uint64_t next, char into[CURSOR_BYTES]);
// `*next` is written when it is ours.
enum cursor_kind cursor_read(const struct api *api, enum cursor_log log, const char *text, uint64_t *next);
