// A histogram of spans of time, for quantiles within 7 %: eight buckets to each doubling from 1 microsecond.
// Plain values; one thread; the order of adding does not matter.
#pragma once

#include <stdint.h>

enum { LATENCY_STEPS = 8, LATENCY_BUCKETS = 40 * LATENCY_STEPS };

struct report_latency {
    uint64_t count;
    uint64_t buckets[LATENCY_BUCKETS];
};

void report_latency_add(struct report_latency *latency, int64_t span_ns);
// The middle of the bucket that holds the quantile (0 to 1); -1 when nothing was added.
int64_t report_latency_quantile(const struct report_latency *latency, double quantile);
