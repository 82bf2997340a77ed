// What a shard counts by target, of one kind (enum target_kind), in one tick: in each partition at most TARGETS_MAXIMUM rows
// in sets of eight. A full set gives the row with the smallest rank to the next target, which inherits the rank (as
// Space-Saving does: Metwally, Agrawal and El Abbadi, ICDT 2005): a target with more than an eighth of its set's packets,
// some 64th of all, is there at the end, however many others there were. Its counts are its own: never too high, and too
// low at most by what its row had inherited when it came. Up to eight targets all are exact, of 30 nearly always.
// Sets are 32 KB, of which a tick touches a line for a target; rows (192 bytes) and sketches (468 bytes, for rows with a
// second source) lie apart, dense from the front, in room that grows and is kept (evidence.h): 0.8 and 1.9 MB at most.
// Created when the first packet of its kind comes. One owner at a time: the shard, then the aggregate, with the
// evidence. Cost: a packet of a new target touches three cache lines (its set, the row's head, the sample).
#pragma once

#include "detect/alert.h"
#include "detect/distinct_sources.h"
#include "detect/evidence.h"
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
    uint16_t sketch;                      // + 1: what it has, or whoever had the row before; 0 = none
    uint8_t sample_count;
    bool sketched; // there are more: the sketch holds all
    _Alignas(CACHE_LINE) struct target_sample samples[TARGET_ROW_SAMPLES]; // the first packets
};

struct target_sketch {
    struct heavy_sources heaviest;
    struct distinct_sources sources;
};

struct target_set {
    uint32_t ranks[TARGET_SET]; // packets, with those of whoever had the row before; 0 = free
    uint16_t tags[TARGET_SET];  // parts of the targets' hashes
    uint16_t rows[TARGET_SET];
};

enum { TARGET_SETS = TARGETS_MAXIMUM / TARGET_SET };

struct target_table {
    uint8_t used[FLOW_PARTITIONS]; // sets, as bits
    struct target_row *rows;       // owned, as the sketches
    struct target_sketch *sketches;
    unsigned row_count, row_room, sketch_count, sketch_room;
    uint64_t lost; // packets counted in rows that were given away
    _Alignas(CACHE_LINE) struct target_set sets[FLOW_PARTITIONS][TARGET_SETS];
};

// What finds a row.
struct target_name {
    const struct address *address;
    uint64_t hash; // target_hash()
    uint16_t port;
    uint8_t partition;
};

struct target_table *target_table_create(void);        // NULL without memory
void target_table_destroy(struct target_table *table); // takes NULL
// Empties it for the next tick; takes NULL.
void target_table_reset(struct target_table *table);

// Keyed; the same everywhere where the seed is.
uint32_t source_hash(const struct address *source, uint64_t seed);
uint64_t target_hash(const struct address *target, uint16_t port, uint64_t seed);
// The row of that target, made when there is none, with `packets` more of its rank; valid until the next call. NULL without
// memory.
struct target_row *target_table_row(struct target_table *table, const struct target_name *name,
                                    uint32_t packets);
// The rows of a partition, in the order of their places, of which *place is the next one (0 at first); NULL = no more.
const struct target_row *target_table_next(const struct target_table *table, unsigned partition,
                                           unsigned *place);

// Packets of a source to the target; the first packet of a row was put into its samples before. `hash` is source_hash().
// Without memory for a sketch a second source is not told.
void target_row_add_source(struct target_table *table, struct target_row *row, const struct address *source,
                           uint32_t hash, uint32_t packets);
// Adds whoever came to the target to the sketches.
void target_row_sources(const struct target_table *table, const struct target_row *row,
                        struct distinct_sources *sources, struct heavy_sources *heaviest);
