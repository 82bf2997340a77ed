#include "report/latency.h"

#include <stdlib.h>

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
    if (latency->count < LATENCY_EXACT)
        latency->first[latency->count] = span_ns;
    latency->count++;
    latency->buckets[bucket_of(span_ns > 0 ? (uint64_t)(span_ns / NS_PER_US) : 0)]++;
}

static int compare_spans(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static int64_t exact_quantile(struct report_latency *latency, double quantile)
{
    double place = quantile * (double)latency->count;
    uint64_t at = (uint64_t)place, last = latency->count - 1;
    qsort(latency->first, latency->count, sizeof latency->first[0], compare_spans);
    if (at > 0 && (double)at == place) { // between two
        int64_t below = latency->first[at - 1];
        return below + (latency->first[at < last ? at : last] - below) / 2;
    }
    return latency->first[at < last ? at : last];
}

int64_t report_latency_quantile(struct report_latency *latency, double quantile)
{
    if (latency->count > 0 && latency->count <= LATENCY_EXACT)
        return exact_quantile(latency, quantile);
    uint64_t wanted = (uint64_t)(quantile * (double)latency->count), below = 0;
    for (unsigned bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
        below += latency->buckets[bucket];
        if (below > wanted)
            return middle_of(bucket);
    }
    return -1;
}
