// port_scan: a source that knocks at many doors. What counts are different (target, port) of TCP and UDP whose first
// contact failed. Which of them lie on few ports are a sweep's matter (host_sweep.c): there must be SCAN_PORTS different
// ports at least.
//
// Sees: scans of any flags, as fast as they come, down to one door in 15 minutes (slow_targets). Cannot see: who spares
// doors that answer none (half of first contacts must fail), who forges a source for each probe, who comes from many
// sources, and what crosses no captured interface. Accuracy: exact up to 256 different doors a source, then 1.8 %.
#include <stdio.h>
#include <string.h>

#include "detect/scan.h"
#include "net/protocol.h"

static bool read_contact(const struct scan_table *table, const struct contact *contact,
                         struct scan_meeting *out)
{
    struct scan_key door = {.port = contact->ports[1], .protocol = contact->protocol};
    memcpy(door.address, contact->addresses[1], sizeof door.address);
    out->key = (struct scan_key){.ip_version = contact->ip_version};
    memcpy(out->key.address, contact->addresses[0], sizeof out->key.address);
    out->member = scan_table_hash(table, &door, sizeof door);
    return contact->probe != PROBE_PING;
}

static struct finding_key key_of(const struct scan_row *row)
{
    struct finding_key key = {.kind = ALERT_PORT_SCAN, .source.address.version = row->key.ip_version};
    memcpy(key.source.address.bytes, row->key.address, sizeof row->key.address);
    return key;
}

static bool is_sweep(const struct judge *judge, const struct scan_row *row, const struct finding_key *key)
{
    (void)judge;
    (void)key;
    return row->ports < SCAN_PORTS;
}

static void describe(const struct scan_finding *finding, struct alert *alert)
{
    char source[ADDRESS_TEXT_BYTES], target[ADDRESS_TEXT_BYTES], span[SCAN_SPAN_TEXT_BYTES];
    char count[SCAN_COUNT_TEXT_BYTES];
    bool one = alert->target_count == 1;
    address_format(&alert->source[0].endpoint.address, source);
    address_format(&alert->target[0].endpoint.address, target);
    snprintf(alert->description, sizeof alert->description,
             "%s tried %s different ports of %s that refused or did not answer, %s", source,
             scan_count_text(finding, count), one ? target : "several hosts", scan_span_text(alert, span));
}

static const struct scan_kind kind = {
    .what = "different (target, port) that refused or did not answer",
    .thresholds = {"analysis.anomalies.port_scan.unique_ports_threshold",
                   "analysis.anomalies.port_scan.slow_threshold", "analysis.anomalies.port_scan.slow_targets",
                   "analysis.anomalies.port_scan.slow_targets_inside"},
    .read = read_contact,
    .key = key_of,
    .by_source = true,
    .is_held_back = is_sweep,
    .describe = describe,
};

const struct detector_row port_scan_detector = {
    .kind = ALERT_PORT_SCAN,
    .by_answers = true,
    .settings = offsetof(struct anomaly_settings, port_scan),
    .ops = &scan_detector_ops,
    .rule = &kind,
};
