// What detectors that judge by target have in common: windows (windows.h) of the evidence of one kind, and a rule that
// looks at the windows which something came to in a tick. A finding is told about a target, unless the allow list covers
// it: its key is the target; the sources are many, named by who sent the most. Internal to detect/; the aggregate's
// thread. Memory: windows.h.
#pragma once

#include "detect/detector.h"
#include "detect/evidence.h"
#include "detect/windows.h"

struct target_detector;

// What tells a row from the others.
struct target_rule {
    enum target_kind evidence;
    int64_t young_ns; // see target_windows_create()
    // Whether it may hold in a later tick though nothing more comes: when what is young has grown old.
    bool (*judge)(const struct target_detector *detector, const struct target_window *window,
                  struct judge *judge, int64_t now_ns);
};

struct target_detector {
    struct detector detector; // first
    const struct target_rule *rule;
    struct anomaly_settings settings; // its numbers
    struct detect_places places;
    struct target_windows *windows;
};

extern const struct detector_ops target_detector_ops;

// The thresholds of the detector: struct syn_flood_settings..., which its rule knows.
static inline const void *target_settings(const struct target_detector *detector)
{
    return detector_settings_of(detector->detector.row, &detector->settings);
}

struct target_finding {
    const struct target_window *window;
    uint8_t protocol; // IP protocol number; 0 = several, or none that is part of what the finding is
    struct target_visitors visitors;
    uint64_t sources; // how many, estimated when many
    double times;     // how far above the threshold of its kind: the severity
    unsigned measure_count;
    struct alert_measure measures[ALERT_MEASURES];
};

// Of a window, with its visitors and without measures.
void target_finding_begin(struct target_finding *finding, const struct target_window *window,
                          uint8_t protocol);
// `measure` holds. The first one is what the alert is about.
void target_finding_add(struct target_finding *finding, const struct alert_measure *measure);
// The alert of it, with everything but its description, when it is to be told now: the caller writes that and calls
// judge_tell(). NULL: it was counted as suppressed or allowed. Allowed is what the list covers by the target, or by each
// of the sources, where all are named.
struct alert *target_finding_alert(const struct target_finding *finding,
                                   const struct target_detector *detector, struct judge *judge,
                                   int64_t now_ns);

// "12 sources", "about 4100 sources".
enum { SOURCES_TEXT_BYTES = 40 };
char *sources_format(uint64_t sources, char into[SOURCES_TEXT_BYTES]);
