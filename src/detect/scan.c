#include "detect/scan.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prefetch.h"
#include "detect/tick_evidence.h"
#include "net/protocol.h"

static const double failed_share = 0.5, failed_share_long = 0.9;

static void read_windows(const struct scan_settings *settings, uint32_t window_secs[SCAN_SPANS])
{
    window_secs[SCAN_FAST] = settings->common.window_secs;
    window_secs[SCAN_SLOW] = settings->slow_window_secs;
}

static const struct scan_settings *settings_of(const struct detector_row *row,
                                               const struct anomaly_settings *settings)
{
    return (const struct scan_settings *)(const void *)detector_settings_of(row, settings);
}

// The fewest that failed with which a row can hold; of more than 256 the sums of windows are rounded.
static double least_failed(const struct scan_settings *settings)
{
    uint32_t least = settings->unique_threshold;
    const uint32_t others[] = {settings->slow_threshold, settings->slow_targets,
                               settings->slow_targets_inside};
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        least = others[i] < least ? others[i] : least;
    return (double)least - 1;
}

static struct detector *create(const struct detector_row *row, const struct detector_setup *setup)
{
    struct scan_detector *scan = calloc(1, sizeof *scan);
    if (scan == NULL)
        return NULL;
    uint32_t window_secs[SCAN_SPANS];
    scan->detector.row = row;
    scan->kind = row->rule;
    scan->places = *setup->places;
    scan->port_scan = setup->port_scan;
    scan->settings = *settings_of(row, setup->settings);
    read_windows(&scan->settings, window_secs);
    scan->table = scan_table_create(window_secs, setup->hash_seed);
    if (scan->table == NULL) {
        free(scan);
        return NULL;
    }
    scan_table_judge_from(scan->table, least_failed(&scan->settings));
    return &scan->detector;
}

static void destroy(struct detector *detector)
{
    struct scan_detector *scan = (struct scan_detector *)detector;
    if (scan == NULL)
        return;
    scan_table_destroy(scan->table);
    free(scan);
}

static void change(struct detector *detector, const struct anomaly_settings *settings)
{
    struct scan_detector *scan = (struct scan_detector *)detector;
    uint32_t window_secs[SCAN_SPANS];
    scan->settings = *settings_of(detector->row, settings);
    read_windows(&scan->settings, window_secs);
    scan_table_change(scan->table, window_secs);
    scan_table_judge_from(scan->table, least_failed(&scan->settings));
}

static struct endpoint endpoint_of(const struct contact *contact, unsigned side)
{
    assert(side < 2);
    struct endpoint endpoint = {.address.version = contact->ip_version, .port = contact->ports[side]};
    memcpy(endpoint.address.bytes, contact->addresses[side], sizeof endpoint.address.bytes);
    return endpoint;
}

static bool is_allowed(const struct scan_detector *scan, const struct endpoint *source,
                       const struct endpoint *target, int64_t now_ns)
{
    return scan->places.is_allowed(scan->places.owner, source, target, now_ns);
}

// Whether the contact is to be left out: it is allowed, but what would be found of its key is not.
static bool is_left_out(const struct scan_detector *scan, const struct scan_key *key,
                        const struct contact *contact, int64_t now_ns)
{
    struct endpoint source = endpoint_of(contact, 0), target = endpoint_of(contact, 1);
    if (!is_allowed(scan, &source, &target, now_ns))
        return false;
    const struct endpoint any = {.port = key->port};
    source.port = 0;
    return !is_allowed(scan, &source, &any, now_ns);
}

// Whether nothing came back where nothing that comes back is seen: then the contact is taken for an answered one.
static bool is_unknown(const struct tick_evidence *evidence, const struct contact *contact)
{
    enum way way = contact->protocol == IP_PROTOCOL_TCP ? WAY_TCP : WAY_UDP;
    return contact->outcome == CONTACT_UNANSWERED && evidence->one_way[way];
}

enum { AT_ONCE = 32 };

// Of the contacts from `first` on; how many of them count.
static unsigned read_some(const struct scan_detector *scan, const struct tick_evidence *evidence,
                          unsigned first, int64_t now_ns, struct scan_meeting meetings[AT_ONCE])
{
    unsigned count = 0;
    for (unsigned i = first; i < evidence->contact_count && i < first + AT_ONCE; i++) {
        const struct contact *contact = evidence->contacts[i];
        struct scan_meeting *meeting = &meetings[count];
        if (i + AT_ONCE < evidence->contact_count)
            prefetch_read(evidence->contacts[i + AT_ONCE]);
        meeting->contact = contact;
        meeting->failed = contact->outcome != CONTACT_ANSWERED && !is_unknown(evidence, contact);
        count += scan->kind->read(scan->table, contact, meeting) &&
                 (contact->outcome == CONTACT_ANSWERED || !is_left_out(scan, &meeting->key, contact, now_ns));
    }
    return count;
}

static void merge(struct detector *detector, const struct tick_evidence *evidence, int64_t now_ns)
{
    const struct scan_detector *scan = (const struct scan_detector *)detector;
    struct scan_meeting meetings[AT_ONCE];
    for (unsigned first = 0; first < evidence->contact_count; first += AT_ONCE)
        scan_table_add(scan->table, meetings, read_some(scan, evidence, first, now_ns, meetings));
}

static double threshold_of(const struct scan_detector *scan, const struct scan_finding *finding)
{
    switch (finding->hold) {
    case SCAN_HOLDS_FAST:
        return scan->settings.unique_threshold;
    case SCAN_HOLDS_SLOW:
        return scan->settings.slow_threshold;
    default:
        return finding->inside ? scan->settings.slow_targets_inside : scan->settings.slow_targets;
    }
}

static struct scan_count count_of(const struct scan_detector *scan, const struct scan_row *row,
                                  enum scan_hold hold)
{
    return hold == SCAN_HOLDS_LONG ? row->since : scan_row_count(scan->table, row, (enum scan_span)hold);
}

static bool holds(const struct scan_detector *scan, const struct scan_finding *finding)
{
    double share = finding->hold == SCAN_HOLDS_LONG ? failed_share_long : failed_share;
    return finding->count.failed >= threshold_of(scan, finding) &&
           finding->whole.failed >= share * (double)finding->whole.all;
}

// The source of a row as a whole; the row itself where that is not known. Echo requests speak for themselves.
static const struct scan_row *whole_row(const struct scan_detector *scan, const struct scan_row *row,
                                        const struct scan_detector **owner)
{
    const struct scan_detector *port_scan = (const struct scan_detector *)*scan->port_scan;
    struct scan_key key = {.ip_version = row->key.ip_version};
    *owner = scan;
    if (scan->kind->by_source || port_scan == NULL || ip_protocol_is_icmp(row->key.protocol))
        return row;
    memcpy(key.address, row->key.address, sizeof key.address);
    const struct scan_row *whole = scan_table_find(port_scan->table, &key);
    if (whole == NULL)
        return row;
    *owner = port_scan;
    return whole;
}

// The figures of a span.
static void count_span(const struct scan_detector *scan, enum scan_hold hold, struct scan_finding *finding)
{
    const struct scan_detector *owner;
    const struct scan_row *whole = whole_row(scan, finding->row, &owner);
    finding->hold = hold;
    finding->count = count_of(scan, finding->row, hold);
    finding->whole = whole == finding->row ? finding->count : count_of(owner, whole, hold);
}

// Fills in the first span that holds.
static void judge_row(const struct scan_detector *scan, struct scan_finding *finding)
{
    for (int hold = SCAN_HOLDS_FAST; hold < SCAN_HOLDS_NOT; hold++) {
        count_span(scan, (enum scan_hold)hold, finding);
        if (holds(scan, finding))
            return;
    }
    finding->hold = SCAN_HOLDS_NOT;
}

static uint32_t span_secs(const struct scan_detector *scan, enum scan_hold hold)
{
    return hold == SCAN_HOLDS_FAST   ? scan->settings.common.window_secs
           : hold == SCAN_HOLDS_SLOW ? scan->settings.slow_window_secs
                                     : 0;
}

static const char *threshold_key(const struct scan_detector *scan, const struct scan_finding *finding)
{
    bool inside = finding->hold == SCAN_HOLDS_LONG && finding->inside;
    return scan->kind->thresholds[(unsigned)finding->hold + inside];
}

const char *scan_count_text(const struct scan_finding *finding, char into[SCAN_COUNT_TEXT_BYTES])
{
    snprintf(into, SCAN_COUNT_TEXT_BYTES, "%s%.0f", finding->estimated ? "about " : "",
             (double)finding->count.failed);
    return into;
}

const char *scan_span_text(const struct alert *alert, char into[SCAN_SPAN_TEXT_BYTES])
{
    if (alert->window_secs == 0)
        return "since it was last silent for 15 minutes";
    snprintf(into, SCAN_SPAN_TEXT_BYTES, "in %u s", (unsigned)alert->window_secs);
    return into;
}

static void add_sample(struct alert *alert, const struct contact *contact)
{
    assert(alert->sample_count < ALERT_SAMPLES);
    alert->sample[alert->sample_count++] = (struct alert_sample){
        .first_seen_ns = contact->first_seen_ns,
        .client = endpoint_of(contact, 0),
        .server = endpoint_of(contact, 1),
        .protocol = contact->protocol,
        .tunnel_kind = contact->tunnel_kind,
        .tunnel_id = contact->tunnel_id,
    };
}

static void fill_parties(const struct scan_block *block, const struct scan_row *row, struct alert *alert)
{
    alert->source_count = 1;
    alert->sources_total = 1;
    alert->source[0] = (struct alert_party){.endpoint.address.version = row->key.ip_version};
    memcpy(alert->source[0].endpoint.address.bytes, row->key.address, sizeof row->key.address);
    alert->target_count = block != NULL ? block->targets : 0;
    alert->targets_total = alert->target_count;
    for (unsigned i = 0; i < alert->target_count; i++)
        alert->target[i] = (struct alert_party){.endpoint = {block->target[i], row->key.port}};
    for (unsigned i = 0; block != NULL && i < block->samples; i++)
        add_sample(alert, &block->sample[i]);
    if (alert->sample_count != 0)
        alert->interface = block->sample[0].interface;
    alert->has_interface = alert->sample_count != 0;
}

// From inside it is somebody who is in already.
static enum alert_severity severity_of(const struct scan_finding *finding, double threshold)
{
    enum { MUCH = 10 };
    unsigned severity = finding->inside ? ALERT_HIGH : ALERT_MEDIUM;
    return (enum alert_severity)(severity + (finding->count.failed >= MUCH * threshold && finding->inside));
}

// Every span that holds, the one that is told first.
static void add_spans(const struct scan_detector *scan, const struct scan_finding *finding,
                      struct alert *alert)
{
    struct scan_finding other = *finding;
    for (int hold = (int)finding->hold; hold < SCAN_HOLDS_NOT; hold++) {
        count_span(scan, (enum scan_hold)hold, &other);
        if (!holds(scan, &other))
            continue;
        assert(alert->measure_count + 1 < ALERT_MEASURES);
        alert->measure[alert->measure_count++] =
            (struct alert_measure){scan->kind->what, threshold_key(scan, &other), rintf(other.count.failed),
                                   threshold_of(scan, &other), 0};
    }
}

static void fill_alert(const struct scan_detector *scan, const struct scan_finding *finding,
                       struct alert *alert)
{
    const struct scan_row *row = finding->row;
    double threshold = threshold_of(scan, finding), failed = rintf(finding->count.failed);
    double share = finding->whole.all > 0 ? (double)finding->whole.failed / (double)finding->whole.all : 1;
    alert->severity = (uint8_t)severity_of(finding, threshold);
    alert->window_secs = span_secs(scan, finding->hold);
    alert->first_seen_ns = row->first_seen_ns;
    alert->observed = failed;
    alert->threshold = threshold;
    alert->confidence = share * (1 - alert->loss_ratio);
    add_spans(scan, finding, alert);
    alert->measure[alert->measure_count++] =
        (struct alert_measure){"share of its first contacts that failed", "", share,
                               finding->hold == SCAN_HOLDS_LONG ? failed_share_long : failed_share, 1};
    fill_parties(scan_table_block(scan->table, row), row, alert);
    scan->kind->describe(finding, alert);
}

static void find(struct scan_detector *scan, struct judge *judge, const struct scan_row *row, int64_t now_ns)
{
    struct finding_key key = scan->kind->key(row);
    bool inside = scan->places.is_local(scan->places.owner, &key.source.address);
    struct scan_finding finding = {.row = row, .inside = inside};
    judge_row(scan, &finding);
    if (finding.hold == SCAN_HOLDS_NOT || scan->kind->is_held_back(judge, row, &key))
        return;
    if (is_allowed(scan, &key.source, &key.target, now_ns)) {
        judge_count_allowed(judge, (enum alert_kind)key.kind);
        return;
    }
    if (!judge_finds(judge, &key, scan->settings.common.cooldown_secs))
        return;
    const struct scan_block *block = scan_table_block(scan->table, row);
    finding.estimated = block != NULL && block->met.is_sketch;
    fill_alert(scan, &finding, judge_alert(judge));
    judge_tell(judge);
}

static void judge_all(struct detector *detector, struct judge *judge, int64_t now_ns)
{
    struct scan_detector *scan = (struct scan_detector *)detector;
    for (const struct scan_row *row; (row = scan_table_next(scan->table, now_ns)) != NULL;)
        find(scan, judge, row, now_ns);
}

const struct detector_ops scan_detector_ops = {
    .create = create,
    .destroy = destroy,
    .change = change,
    .merge = merge,
    .judge = judge_all,
};
