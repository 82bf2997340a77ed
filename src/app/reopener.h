// SIGHUP for outputs: a sink that at a tick after the signal has every file closed and opened again.
#pragma once

#include "aggregate/sink.h"

// Borrows the file sinks. NULL without memory.
struct sink *reopener_create(struct sink *const *files, unsigned count);
