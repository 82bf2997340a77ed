// What a shard counts by target, of one kind (enum target_kind), in one partition and tick: at most TARGETS_MAXIMUM rows in
// sets of eight. A full set gives the row with the smallest rank to the next target, which inherits the rank (as
// Space-Saving does: Metwally, Agrawal and El Abbadi, ICDT 2005): a target with more than an eighth of its set's packets,
// some 64th of all, is there at the end, however many others there were. Its counts are its own: never too high, and too
// low at most by what its row had inherited when it came. Up to eight targets all are exact, of 30 nearly always.
// 46 KB, of which memory is touched as rows are made; created when the first packet of its kind comes. One owner at a
// time: the shard, then the aggregate, with the evidence. Cost: a packet of a new target touches three cache lines
// (its set, the row's head, the sample); the sketches of a row begin with its second source.
#pragma once

#include "detect/alert.h"
#include "detect/distinct_sources.h"
#include "detect/heavy_sources.h"

enum { TARGETS_MAXIMUM = 64, TARGET_SET = 8, TARGET_ROW_SAMPLES = 2, CACHE_LINE = 64 };

// A flow to the target, and where it was seen.
struct target_sample {
    struct alert_sample flow;
    uint16_t interface;
    bool from_server; // who sent what came to the target
};
// By first_seen, then endpoints: <0, 0, >0.
int target_sample_compare(const struct target_sample *left, const struct target_sample *right);

// In the order of its fields: a cache line for the head and one for each sample.
struct target_row {
    uint64_t hash;      // of the target
    uint64_t counts[2]; // see enum target_kind
    struct endpoint target;
    uint32_t first_source, first_packets; // while there is but one source; 0 packets = nobody came
    uint8_t sample_count;
    bool sketched; // there are more: the sketches hold all
    _Alignas(CACHE_LINE) struct target_sample samples[TARGET_ROW_SAMPLES]; // the first packets
    struct heavy_sources heaviest;
    struct distinct_sources sources;
};

struct target_set {
    uint32_t tags[TARGET_SET];  // parts of the targets' hashes
    uint32_t ranks[TARGET_SET]; // packets, with those of whoever had the row before; 0 = free
};

struct target_table {
    uint64_t used; // rows, as bits
    uint64_t lost; // packets counted in rows that were given away
    _Alignas(CACHE_LINE) struct target_set sets[TARGETS_MAXIMUM / TARGET_SET];
    struct target_row rows[TARGETS_MAXIMUM]; // of a set eight in a row
};

struct target_table *target_table_create(void);        // NULL without memory
void target_table_destroy(struct target_table *table); // takes NULL
// Empties it for the next tick; takes NULL.
void target_table_reset(struct target_table *table);

// Keyed; the same everywhere where the seed is.
uint32_t source_hash(const struct address *source, uint64_t seed);
uint64_t target_hash(const struct address *target, uint16_t port, uint64_t seed);
// The row of that target, made when there is none, with `packets` more of its rank. `hash` is target_hash().
struct target_row *target_table_row(struct target_table *table, const struct address *target, uint16_t port,
                                    uint64_t hash, uint32_t packets);

// Packets of a source to the target; the first packet of a row was put into its samples before. `hash` is source_hash().
void target_row_add_source(struct target_row *row, const struct address *source, uint32_t hash,
                           uint32_t packets);
// Adds whoever came to the target to the sketches.
void target_row_sources(const struct target_row *row, struct distinct_sources *sources,
                        struct heavy_sources *heaviest);
