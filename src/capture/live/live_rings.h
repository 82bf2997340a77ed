// How large rings are. A named interface gets capture.buffer_size_mb. Interfaces behind globs are many: each gets a
// sixteenth of it, and less as they use up what all of them may have; past that the smallest ring there is.
#pragma once

#include <stdint.h>

#include "config/settings.h"

enum {
    LIVE_INTERFACES_MAX = 512,
    LIVE_RING_MIN_BYTES = 512 * 1024
}; // open at a time; two of libpcap's blocks

// `limit_bytes` is what the process may take, 0 = no limit.
// All rings of the settings together.
uint64_t live_rings_most(const struct capture_settings *settings, uint64_t limit_bytes);
// The ring of a named interface, and of a further one behind a glob when those that are open take `taken_bytes`.
uint64_t live_ring_named(const struct capture_settings *settings);
uint64_t live_ring_globbed(const struct capture_settings *settings, uint64_t limit_bytes,
                           uint64_t taken_bytes);
