// How detection stands at a tick: what of it a snapshot carries. A plain value.
#pragma once

#include "detect/judge.h"

struct detect_status {
    struct judge_counts counts;
    bool enabled[ALERT_KINDS];
    bool degraded[ALERT_KINDS]; // it would judge by answers that are not seen: silent
    uint64_t evidence_refused;  // contacts and targets that found no room
};
