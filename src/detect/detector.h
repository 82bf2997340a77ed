// A detector: a row of the table in detectors.c, and a file. Its evidence is gathered by shards (evidence.h), merged here
// in the order of the partitions (tick_evidence.h), and judged once a tick. Fixed memory; the
// aggregate's thread. Nothing here depends on how many shards there are.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/settings.h"
#include "detect/judge.h"

struct tick_evidence;
struct detector;

// What detectors ask of the floor above.
struct detect_places {
    bool (*is_local)(const void *owner, const struct address *address); // networks.local
    // Whether an entry of the allow list covers a finding; port 0 = any.
    bool (*is_allowed)(const void *owner, const struct endpoint *source, const struct endpoint *target,
                       int64_t now_ns);
    const void *owner;
};

struct detector_setup {
    const struct anomaly_settings *settings; // borrowed for the call
    const struct detect_places *places;      // borrowed for the detector's life
    struct detector *const
        *port_scan; // where that detector is, NULL there = off: it knows sources as a whole
    uint64_t hash_seed;
};

struct detector_row;

// What rows that are judged alike have in common: scans (scan.h), and what is judged by target (target_detector.h).
struct detector_ops {
    struct detector *(*create)(const struct detector_row *row,
                               const struct detector_setup *setup); // NULL without memory
    void (*destroy)(struct detector *detector);                     // takes NULL
    // New thresholds; what was gathered stays.
    void (*change)(struct detector *detector, const struct anomaly_settings *settings);
    // The evidence of the tick that ends at `now_ns`.
    void (*merge)(struct detector *detector, const struct tick_evidence *evidence, int64_t now_ns);
    // Tells the judge what holds.
    void (*judge)(struct detector *detector, struct judge *judge, int64_t now_ns);
};

struct detector_row {
    enum alert_kind kind;
    bool by_answers; // judges by answers that are missing: counts none as missing where one direction is seen
    size_t settings; // where its own begin in struct anomaly_settings: with struct detector_settings
    const struct detector_ops *ops;
    const void *rule; // what tells it from the others: the ops' own
};

static inline const struct detector_settings *detector_settings_of(const struct detector_row *row,
                                                                   const struct anomaly_settings *settings)
{
    return (const struct detector_settings *)(const void *)((const char *)settings + row->settings);
}

struct detector {
    const struct detector_row *row;
};

extern const struct detector_row port_scan_detector, host_sweep_detector, syn_flood_detector,
    reflection_detector, udp_flood_detector, icmp_flood_detector;
// In the order in which they are judged.
extern const struct detector_row *const detector_table[];
extern const unsigned detector_count;
