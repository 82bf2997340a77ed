// A source of made traffic for tests and benchmarks: Ethernet frames with valid checksums, a mix of TCP
// conversations (handshake, requests, answers, close) and UDP exchanges in turn. The same seed gives the
// same bytes. Lossless.
#pragma once

#include "capture/source.h"

struct synthetic_options {
    uint64_t seed;
    uint64_t packets; // then it ends
    uint32_t flows;   // conversations at the same time; 1 at least
    int64_t start_ns; // stamp of the first packet
    int64_t step_ns;  // between stamps
};

// The pool must outlive all frames. NULL without memory.
struct source *synthetic_source_create(const struct synthetic_options *options, struct chunk_pool *pool);
