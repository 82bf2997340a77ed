// The microbenchmarks: each measures, prints its rows, and ends the program when a result is not what it
// has to be, so that nothing wrong is timed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "micro/frame_set.h"

struct micro_options {
    const struct frame_set *frames; // for decode and shard
    unsigned repetitions;
    uint64_t few_flows, many_flows; // hit
    uint64_t new_flows;             // insert
    uint64_t growth_flows;          // growth
    uint64_t records;               // ring
    uint64_t rendered_flows;        // export
};

void measure_decode(const struct micro_options *options);
void measure_hash(const struct micro_options *options);
void measure_hit(const struct micro_options *options);
void measure_insert(const struct micro_options *options);
void measure_growth(const struct micro_options *options);
void measure_question(const struct micro_options *options);
void measure_ring(const struct micro_options *options);
void measure_shard(const struct micro_options *options);
void measure_observe(const struct micro_options *options);
void measure_hello(const struct micro_options *options);
void measure_export(const struct micro_options *options);

// "micro: ..." and exit 1.
void micro_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
// Exit 1 unless they are equal.
void micro_expect(const char *what, uint64_t found, uint64_t expected);
