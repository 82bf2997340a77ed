// SIGHUP for outputs: a sink that at a tick after the signal has every file closed and opened again.
#pragma once

#include "aggregate/sink.h"

struct tap_consumer;

// Borrows the file sinks and the recorder (NULL = none). NULL without memory.
struct sink *reopener_create(struct sink *const *files, unsigned count, struct tap_consumer *recorder);
