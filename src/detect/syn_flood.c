// syn_flood: SYNs to one (address, port) that complete no handshake. Of a window: SYNs minus the handshakes completed
// in it are at least syn_threshold and at least half of those SYNs, or at least flood_threshold; and they come from at
// least unique_src_threshold sources, or are at least outstanding_threshold.
//
// A handshake takes a round trip, so that a server that 2,000 clients a second connect to always has some hundred SYNs
// to answer. Below flood_threshold, therefore, SYNs of the last 125 to 250 ms do not count yet. A flood of more than
// flood_threshold is found in the tick in which that is reached.
// Sees: floods with spoofed or with real sources, also where only what is sent to the server is captured (a client's
// ACK proves that it was answered). Cannot see: handshakes that an attacker completes; floods of SYN-ACKs, ACKs, RSTs.
// Slowest: syn_threshold in window_secs, 40 SYNs a second.
// Accuracy: counts are exact while a partition's tick has at most 64 targets (targets.h), as far as a target has its row;
// sources are exact up to 64, beyond with a standard error of 12.7 %, of the last one to two windows.
#include <inttypes.h>
#include <stdio.h>

#include "base/time.h"
#include "detect/target_detector.h"
#include "net/protocol.h"

#define SETTING(name) "analysis.anomalies.syn_flood." name

#define ROUND_TRIP_NS (125 * NS_PER_MS)

// What a window says.
struct syn_count {
    uint64_t syns, outstanding;
    bool many;   // flood_threshold is reached: the share does not matter
    bool mostly; // syn_threshold is reached, by half of them at least
};

static uint64_t without(uint64_t all, uint64_t some)
{
    return all > some ? all - some : 0;
}

// Whether there are too many of them.
static bool count_outstanding(const struct target_detector *detector, const struct target_window *window,
                              struct syn_count *out)
{
    const struct syn_flood_settings *settings = target_settings(detector);
    uint64_t all = without(window->sums[0], window->sums[1]);
    out->many = all >= settings->flood_threshold;
    out->syns = window->sums[0]; // where there are many, the youngest count: they grow old as well
    if (!out->many)
        out->syns = without(out->syns, target_window_young(detector->windows, window));
    out->outstanding = without(out->syns, window->sums[1]);
    out->mostly = out->outstanding >= settings->syn_threshold && 2 * out->outstanding >= out->syns;
    return out->many || out->mostly;
}

enum { GROUP_COUNT, GROUP_SOURCES, GROUP_SHARE };

static void add_counts(struct target_finding *finding, const struct syn_flood_settings *settings,
                       const struct syn_count *count)
{
    static const char what[] = "SYNs in the window without a completed handshake";
    double outstanding = (double)count->outstanding;
    const struct alert_measure many = {what, SETTING("flood_threshold"), outstanding,
                                       settings->flood_threshold, GROUP_COUNT};
    const struct alert_measure mostly = {what, SETTING("syn_threshold"), outstanding, settings->syn_threshold,
                                         GROUP_COUNT};
    const struct alert_measure share = {"of these SYNs, half at least", "", outstanding,
                                        (double)count->syns / 2, GROUP_SHARE};
    if (count->many)
        target_finding_add(finding, &many);
    if (count->mostly)
        target_finding_add(finding, &mostly);
    if (!count->many)
        target_finding_add(finding, &share);
}

static void add_sources(struct target_finding *finding, const struct syn_flood_settings *settings,
                        const struct syn_count *count)
{
    const struct alert_measure sources = {"sources", SETTING("unique_src_threshold"),
                                          (double)finding->sources, settings->unique_src_threshold,
                                          GROUP_SOURCES};
    const struct alert_measure few = {"SYNs without a handshake, from however few sources",
                                      SETTING("outstanding_threshold"), (double)count->outstanding,
                                      settings->outstanding_threshold, GROUP_SOURCES};
    if (finding->sources >= settings->unique_src_threshold)
        target_finding_add(finding, &sources);
    if (count->outstanding >= settings->outstanding_threshold)
        target_finding_add(finding, &few);
}

static void describe(struct alert *alert, const struct syn_count *count)
{
    char target[ENDPOINT_TEXT_BYTES], sources[SOURCES_TEXT_BYTES];
    snprintf(alert->description, sizeof alert->description,
             "%s got %" PRIu64 " SYNs in %" PRIu32 " s, of which %" PRIu64
             " completed no handshake, from %s.",
             endpoint_format(&alert->target[0].endpoint, target), count->syns, alert->window_secs,
             count->outstanding, sources_format(alert->sources_total, sources));
}

static void tell(const struct target_detector *detector, const struct target_window *window,
                 struct judge *judge, int64_t now_ns)
{
    const struct syn_flood_settings *settings = target_settings(detector);
    struct syn_count count;
    struct target_finding finding;
    if (!count_outstanding(detector, window, &count))
        return;
    target_finding_begin(&finding, window, IP_PROTOCOL_TCP);
    if (finding.sources < settings->unique_src_threshold &&
        count.outstanding < settings->outstanding_threshold)
        return;
    finding.times = (double)count.outstanding / settings->syn_threshold;
    add_counts(&finding, settings, &count);
    add_sources(&finding, settings, &count);
    struct alert *alert = target_finding_alert(&finding, detector, judge, now_ns);
    if (alert == NULL)
        return;
    describe(alert, &count);
    judge_tell(judge);
}

// A window with fewer SYNs than the least threshold holds at no age of theirs.
static bool judge_window(const struct target_detector *detector, const struct target_window *window,
                         struct judge *judge, int64_t now_ns)
{
    const struct syn_flood_settings *settings = target_settings(detector);
    uint64_t outstanding = without(window->sums[0], window->sums[1]);
    if (outstanding < settings->syn_threshold && outstanding < settings->flood_threshold)
        return false;
    tell(detector, window, judge, now_ns);
    return true;
}

static const struct target_rule rule = {
    .evidence = TARGET_SYN,
    .young_ns = ROUND_TRIP_NS,
    .judge = judge_window,
};

const struct detector_row syn_flood_detector = {
    .kind = ALERT_SYN_FLOOD,
    .settings = offsetof(struct anomaly_settings, syn_flood),
    .ops = &target_detector_ops,
    .rule = &rule,
};
