// Who came to a target in a stretch of time: how many different sources, the heaviest of them, and the first flows. Merging
// is a union, in any order. Some 1 KB; plain value.
#pragma once

#include "detect/targets.h"

enum { VISITOR_SAMPLES = ALERT_SAMPLES };

// Who came in a stretch of time.
struct target_visitors {
    struct distinct_sources sources;
    struct heavy_sources heaviest;
    unsigned sample_count;
    struct target_sample
        samples[VISITOR_SAMPLES]; // the smallest, in order (target_sample_compare()), of eight flows
};

// In the order of its fields: a cache line that is always looked at, and the rest.

void visitors_empty(struct target_visitors *visitors);
// Those of a row of a shard's table.
void visitors_add(struct target_visitors *visitors, const struct target_table *table,
                  const struct target_row *row);
void visitors_merge(struct target_visitors *into, const struct target_visitors *from);
