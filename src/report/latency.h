// Spans of time, for quantiles: exact while there are few, then within 7 % by a histogram of eight buckets to each doubling
// from 1 microsecond. Plain values; one thread; the order of adding does not matter.
#pragma once

#include <stdint.h>

enum { LATENCY_STEPS = 8, LATENCY_BUCKETS = 40 * LATENCY_STEPS, LATENCY_EXACT = 1024 };

struct report_latency {
    uint64_t count;
    uint64_t buckets[LATENCY_BUCKETS];
    int64_t first[LATENCY_EXACT]; // the spans themselves; all of them while count <= LATENCY_EXACT
};

void report_latency_add(struct report_latency *latency, int64_t span_ns);
// Of few spans the exact quantile (0 to 1; half way between the two in the middle for the median of an even number),
// else the middle of the bucket that holds it; -1 when nothing was added.
int64_t report_latency_quantile(struct report_latency *latency, double quantile);
