// host_sweep: a source that knocks at the same door of many hosts. What counts are different targets of one port (of TCP,
// of UDP, or ICMP echo) whose first contact failed. While the source is known as a port scanner, its sweeps are part of
// that and not told.
//
// Sees, cannot see, accuracy: as port_scan (port_scan.c), by (source, protocol, port).
#include <stdio.h>
#include <string.h>

#include "detect/scan.h"
#include "net/protocol.h"

static bool read_contact(const struct scan_table *table, const struct contact *contact,
                         struct scan_meeting *out)
{
    out->key = (struct scan_key){
        .port = contact->probe == PROBE_PING ? 0 : contact->ports[1],
        .protocol = contact->protocol,
        .ip_version = contact->ip_version,
    };
    memcpy(out->key.address, contact->addresses[0], sizeof out->key.address);
    out->member = scan_table_hash(table, contact->addresses[1], sizeof contact->addresses[1]);
    return true;
}

static struct finding_key key_of(const struct scan_row *row)
{
    struct finding_key key = {
        .kind = ALERT_HOST_SWEEP,
        .protocol = row->key.protocol,
        .source.address.version = row->key.ip_version,
        .target.port = row->key.port,
    };
    memcpy(key.source.address.bytes, row->key.address, sizeof row->key.address);
    return key;
}

static bool is_part_of_scan(const struct judge *judge, const struct scan_row *row,
                            const struct finding_key *key)
{
    (void)row;
    struct finding_key scan = {.kind = ALERT_PORT_SCAN, .source = key->source};
    return !judge_is_on(judge, key) && judge_is_on(judge, &scan);
}

static void describe(const struct scan_finding *finding, struct alert *alert)
{
    char source[ADDRESS_TEXT_BYTES], span[SCAN_SPAN_TEXT_BYTES], door[64], protocol[16];
    char count[SCAN_COUNT_TEXT_BYTES];
    const struct scan_key *key = &finding->row->key;
    ip_protocol_text(key->protocol, protocol);
    if (key->port != 0)
        snprintf(door, sizeof door, "on %s port %u", protocol, (unsigned)key->port);
    else
        snprintf(door, sizeof door, "by %s echo requests", protocol);
    alert->targets_total = (uint64_t)((double)finding->count.failed + 0.5);
    snprintf(alert->description, sizeof alert->description,
             "%s tried %s different hosts %s that refused or did not answer, %s",
             address_format(&alert->source[0].endpoint.address, source), scan_count_text(finding, count),
             door, scan_span_text(alert, span));
}

static const struct scan_kind kind = {
    .what = "different targets that refused or did not answer",
    .thresholds = {"analysis.anomalies.host_sweep.unique_hosts_threshold",
                   "analysis.anomalies.host_sweep.slow_threshold",
                   "analysis.anomalies.host_sweep.slow_targets",
                   "analysis.anomalies.host_sweep.slow_targets_inside"},
    .read = read_contact,
    .key = key_of,
    .is_held_back = is_part_of_scan,
    .describe = describe,
};

const struct detector_row host_sweep_detector = {
    .kind = ALERT_HOST_SWEEP,
    .by_answers = true,
    .settings = offsetof(struct anomaly_settings, host_sweep),
    .ops = &scan_detector_ops,
    .rule = &kind,
};
