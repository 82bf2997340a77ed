#include "report/latency.h"

#include "base/time.h"

// Bucket i < 8 holds i microseconds; after them each doubling has eight of equal width.
static unsigned bucket_of(uint64_t span_us)
{
    if (span_us < LATENCY_STEPS)
        return (unsigned)span_us;
    unsigned doubling = 63 - (unsigned)__builtin_clzll(span_us) - 3;
    unsigned bucket = (doubling + 1) * LATENCY_STEPS + (unsigned)((span_us >> doubling) - LATENCY_STEPS);
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

static int64_t middle_of(unsigned bucket)
{
    if (bucket < LATENCY_STEPS)
        return bucket * NS_PER_US + NS_PER_US / 2;
    unsigned doubling = bucket / LATENCY_STEPS - 1;
    int64_t least = (int64_t)(LATENCY_STEPS + bucket % LATENCY_STEPS) << doubling;
    return least * NS_PER_US + (NS_PER_US << doubling) / 2;
}

void report_latency_add(struct report_latency *latency, int64_t span_ns)
{
    latency->count++;
    latency->buckets[bucket_of(span_ns > 0 ? (uint64_t)(span_ns / NS_PER_US) : 0)]++;
}

int64_t report_latency_quantile(const struct report_latency *latency, double quantile)
{
    uint64_t wanted = (uint64_t)(quantile * (double)latency->count), below = 0;
    for (unsigned bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
        below += latency->buckets[bucket];
        if (below > wanted)
            return middle_of(bucket);
    }
    return -1;
}
