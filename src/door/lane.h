// One direction of a connection: bytes on their way from one end to the other, and the end of them. Reads only when all
// that it read is written, so that who does not read is not read from. One owner, one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "door/wire.h"

enum { LANE_BYTES = 32768 }; // two records of TLS: door/tls.h

struct lane {
    uint8_t *bytes;    // LANE_BYTES of them, only while some wait
    size_t start, end; // what waits
    bool ended;        // the source said that there is no more
    bool passed_on;    // and the target was told
};

static inline bool lane_is_empty(const struct lane *lane)
{
    return lane->start == lane->end;
}

// Into an empty lane: how many bytes came, or WIRE_ENDED, WIRE_LATER, WIRE_BROKEN.
ssize_t lane_fill(struct lane *lane, const struct wire *source);
// How many bytes went, WIRE_LATER or WIRE_BROKEN; WIRE_ENDED when it has passed on the end.
ssize_t lane_drain(struct lane *lane, const struct wire *target);
// The last bytes, behind which nothing comes, into an empty lane. False without memory.
bool lane_put_last(struct lane *lane, const uint8_t *bytes, size_t length);
// Forgets what waits.
void lane_clear(struct lane *lane);
