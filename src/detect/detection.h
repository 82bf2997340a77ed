// Detection: the detectors and their judge, as aggregate runs them. A tick is: detection_begin(),
// detection_merge() of all shards' evidence, detection_end(), which gives out what is told. The aggregate's thread; fixed memory, which is touched as
// it is needed (detectors.c: some 50 MB at most).
#pragma once

#include "detect/detect_status.h"
#include "detect/detector.h"
#include "detect/evidence.h"

struct detection;

struct detection_setup {
    const struct anomaly_settings *settings; // borrowed for the call
    const struct detect_places *places;      // borrowed for detection's life
    uint64_t hash_seed;
    void (*tell)(void *owner, const struct alert *alert);
    void *owner;
};

struct detection *detection_create(const struct detection_setup *setup); // NULL without memory
void detection_destroy(struct detection *detection);                     // takes NULL
void detection_change(struct detection *detection, const struct anomaly_settings *settings);

// What is told of a tick besides its evidence: flow time, and flow time minus packets' stamps.
struct detection_tick {
    int64_t now_ns, offset_ns;
    uint64_t received, lost; // packets since the start
    bool last;               // of the run
};
void detection_begin(struct detection *detection, const struct detection_tick *tick);
void detection_merge(struct detection *detection, const struct evidence *const *shards, unsigned shard_count);
void detection_end(struct detection *detection);

void detection_status(const struct detection *detection, struct detect_status *status);
