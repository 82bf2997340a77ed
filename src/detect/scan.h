// What port_scan and host_sweep have in common: sources whose first contacts fail, judged in three spans. Internal to detect/.
#pragma once

#include "detect/detector.h"
#include "detect/scan_table.h"

struct scan_detector;
struct scan_finding;

// The kinds differ in what a row is and what it is called.
struct scan_kind {
    const char *what;          // that failed, to be read behind the figure
    const char *thresholds[4]; // keys of its settings: fast, slow, long from outside and from inside
    // Key and member of a contact; false = it is none of the kind's.
    bool (*read)(const struct scan_table *table, const struct contact *contact, struct scan_meeting *out);
    struct finding_key (*key)(const struct scan_row *row);
    bool by_source; // a row is a source as a whole
    bool (*is_held_back)(const struct judge *judge, const struct scan_row *row,
                         const struct finding_key *key);
    void (*describe)(const struct scan_finding *finding, struct alert *alert);
};

struct scan_detector {
    struct detector detector;
    const struct scan_kind *kind;
    struct detect_places places;
    struct detector *const *port_scan; // whose table knows sources as a whole; NULL there = off
    struct scan_settings settings;
    struct scan_table *table;
};

// Merging, a contact that failed is left out when an entry of the allow list covers it and would not cover a finding of
// the key: what it would cover is counted, and told to the judge as allowed.
extern const struct detector_ops scan_detector_ops;

// In which span a row holds.
enum scan_hold { SCAN_HOLDS_FAST, SCAN_HOLDS_SLOW, SCAN_HOLDS_LONG, SCAN_HOLDS_NOT };

struct scan_finding {
    const struct scan_row *row;
    enum scan_hold hold;
    bool inside;             // the source is of networks.local
    struct scan_count count; // of the span that holds
    struct scan_count whole; // of the source, where it is known
    bool estimated;          // there are too many to be told apart exactly
};

// "25", or "about 1000".
enum { SCAN_COUNT_TEXT_BYTES = 32 };
const char *scan_count_text(const struct scan_finding *finding, char into[SCAN_COUNT_TEXT_BYTES]);
enum { SCAN_SPAN_TEXT_BYTES = 64 };
// "in 60 s".
const char *scan_span_text(const struct alert *alert, char into[SCAN_SPAN_TEXT_BYTES]);
