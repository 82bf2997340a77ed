// What a shard counts by target, of one kind (enum target_kind), in one partition and tick: rows in the order in which
// they were made. A full table gives the row with the smallest rank to the next target, which inherits the rank (as
// Space-Saving does: Metwally, Agrawal and El Abbadi, ICDT 2005): a target with more than a 64th of the packets is
// there at the end, however many others there were. Its counts are its own, never too high, and too low at most by what
// its row had inherited when it came.
// 62 KB, of which memory is touched as rows are made; created when the first packet of its kind comes. One owner at a
// time: the shard, then the aggregate, with the evidence. Cost: a packet of a known target a probe, of a new one in a
// full table some rows looked at (each rank is passed over once).
#pragma once

#include "detect/alert.h"
#include "detect/distinct_sources.h"
#include "detect/heavy_sources.h"

struct packet;

enum { TARGETS_MAXIMUM = 64, TARGET_PLACES = 2 * TARGETS_MAXIMUM, TARGET_ROW_SAMPLES = 2 };

// A flow to the target, and where it was seen.
struct target_sample {
    struct alert_sample flow;
    uint16_t interface;
};
// By first_seen, then endpoints: <0, 0, >0.
int target_sample_compare(const struct target_sample *left, const struct target_sample *right);

struct target_row {
    struct endpoint target;
    uint32_t sample_count;
    uint64_t counts[2];                               // see enum target_kind
    struct distinct_sources sources;                  // of counts[0]
    struct heavy_sources heaviest;                    // the same
    struct target_sample samples[TARGET_ROW_SAMPLES]; // the first packets
};

struct target_table {
    unsigned count;
    unsigned hand;                    // where to look for the next row to give away
    uint32_t least_rank;              // no rank is below it
    uint64_t lost;                    // packets counted in rows that were given away
    uint16_t places[TARGET_PLACES];   // target_index.h
    uint64_t hashes[TARGETS_MAXIMUM]; // of the targets, by row
    uint32_t ranks[TARGETS_MAXIMUM];  // packets, with those of whoever had the row before
    struct target_row rows[TARGETS_MAXIMUM];
};

struct target_table *target_table_create(void);        // NULL without memory
void target_table_destroy(struct target_table *table); // takes NULL
// Empties it for the next tick; takes NULL.
void target_table_reset(struct target_table *table);

// Keyed; the same everywhere where the seed is.
uint64_t source_hash(const struct address *source, uint64_t seed);
uint64_t target_hash(const struct endpoint *target, uint64_t seed);
// The row of that target, made when there is none, with `packets` more of its rank. `hash` is target_hash().
struct target_row *target_table_row(struct target_table *table, const struct endpoint *target, uint64_t hash,
                                    uint32_t packets);
