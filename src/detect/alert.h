// An alert: what a detector found, in numbers, as everything above detect/ has it. Plain values, made once on the
// aggregate's thread and never changed after it was given out: any thread may read it. Names, shape and thresholds:
// reference section 5.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/address.h"

// ROW(CONSTANT, kind as users see it, MITRE ATT&CK technique): whatever names kinds walks over this table.
#define ALERT_KIND_ROWS(ROW)                                                                                 \
    ROW(SYN_FLOOD, "syn_flood", "T1498.001")                                                                 \
    ROW(PORT_SCAN, "port_scan", "T1046")                                                                     \
    ROW(HOST_SWEEP, "host_sweep", "T1018")                                                                   \
    ROW(REFLECTION, "reflection", "T1498.002")                                                               \
    ROW(UDP_FLOOD, "udp_flood", "T1498.001")                                                                 \
    ROW(ICMP_FLOOD, "icmp_flood", "T1498.001")                                                               \
    ROW(OVERFLOW, "overflow", "")

#define ALERT_KIND_CONSTANT(NAME, text, technique) ALERT_##NAME,
enum alert_kind { ALERT_KIND_ROWS(ALERT_KIND_CONSTANT) ALERT_KINDS };
#undef ALERT_KIND_CONSTANT

enum alert_severity { ALERT_LOW, ALERT_MEDIUM, ALERT_HIGH, ALERT_CRITICAL, ALERT_SEVERITIES };
enum alert_lifecycle { ALERT_STARTED, ALERT_UPDATED, ALERT_ENDED, ALERT_LIFECYCLES };

// A side of what happened. port 0 = any or none.
struct alert_party {
    struct endpoint endpoint;
    uint64_t packets; // that it is known to have sent or got; 0 = not counted
};

// A flow that shows what happened: client and server, as Community ID has them.
struct alert_sample {
    int64_t first_seen_ns; // the packet's own stamp
    struct endpoint client, server;
    uint8_t protocol;
    uint8_t tunnel_kind; // enum tunnel_kind
    uint32_t tunnel_id;
};

// A condition of the detector: why the alert was raised, what it would have taken not to, and what silences it.
// All texts are constants of the detector.
struct alert_measure {
    const char *what;    // "first contacts that failed": to be read behind the figure
    const char *setting; // the key that holds the threshold; "" = fixed
    double observed;     // raised, for it is at least
    double threshold;
    unsigned group; // of each group one must hold: whoever wants silence raises all thresholds of one group
};

enum {
    ALERT_PARTIES = 8,
    ALERT_SAMPLES = 8,
    ALERT_MEASURES = 6,
    ALERT_ID_BYTES = 33,
    ALERT_TEXT_BYTES = 320
};

struct alert {
    uint8_t kind;                     // enum alert_kind
    uint8_t severity;                 // enum alert_severity
    uint8_t severity_at_start;        // the same in all revisions
    uint8_t lifecycle;                // enum alert_lifecycle
    uint8_t protocol;                 // IP protocol number; 0 = several
    uint32_t revision;                // 1 when it started, one more each time that it is told
    char id[ALERT_ID_BYTES];          // 32 hex digits: of fingerprint and first_seen
    char fingerprint[ALERT_ID_BYTES]; // of kind and parties: equal on every node and at every time
    int64_t ts_ns;                    // when this was found; times are packets' stamps
    int64_t first_seen_ns, last_seen_ns;
    uint16_t interface; // of the first sample, as flow_record.interface has it
    bool has_interface;
    unsigned source_count, target_count;   // of those below
    uint64_t sources_total, targets_total; // how many there are, estimated when many
    struct alert_party source[ALERT_PARTIES], target[ALERT_PARTIES]; // the heaviest first
    double observed, threshold;                                      // of the first measure
    uint32_t window_secs; // 0 = as long as the source was never silent for 15 minutes
    unsigned measure_count, sample_count;
    struct alert_measure measure[ALERT_MEASURES];
    struct alert_sample sample[ALERT_SAMPLES];
    uint64_t suppressed_count;          // times that it was found and not told since it was told last
    double loss_ratio;                  // of the packets of its window: lost to received
    double confidence;                  // 0 to 1
    char description[ALERT_TEXT_BYTES]; // one sentence
};

const char *alert_kind_name(enum alert_kind kind);
const char *alert_technique(enum alert_kind kind); // "" = none
const char *alert_severity_name(enum alert_severity severity);
// The kind of that name; ALERT_KINDS = none.
enum alert_kind alert_kind_find(const char *name);
