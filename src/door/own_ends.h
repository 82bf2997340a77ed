// The ends of a connection that is told to be the sensor's own (capture/own_connections.h) while it is open: all of its packets
// but the first and last few. A part of its connection; the door's thread.
#pragma once

#include "capture/own_connections.h"
#include "door/door.h"

struct own_ends {
    struct endpoint here, there; // version 0 = it is not told
};

// `own` may be NULL, and the peer a local one: then nothing is told.
void own_ends_tell(struct own_ends *ends, struct own_connections *own, const struct peer *peer);
void own_ends_forget(struct own_ends *ends, struct own_connections *own);
