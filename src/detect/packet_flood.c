// udp_flood and icmp_flood: to one target at least packets_per_sec_threshold a second over window_secs, and more than
// answer_ratio times what the target sends itself (of UDP, of ICMP).
//
// A window is judged by its sum: a burst that alone is as much as window_secs would have to bring is found in its tick.
// Sees: floods of one or many sources, of any ports and messages, fragments too. Cannot see: a target that answers more
// than each answer_ratio-th packet (its answers prove that it copes); floods of other protocols, or from a UDP port below
// 1024 to one above (a download; of amplifiers a reflection). A stream that
// nobody answers at that rate is told, whatever it carries. Where only one direction is captured, no answers are seen: a
// busy UDP service is told then.
// Slowest: packets_per_sec_threshold.
// Accuracy: icmp_flood's counts are exact as far as the target has its row (targets.h). udp_flood looks at one packet of
// 16: at 50,000 packets, its threshold, the standard error is 1.7 %. Sources are exact up to 64, beyond with a standard
// error of 12.7 %, of the packets looked at, of the last one to two windows.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "detect/target_detector.h"
#include "net/protocol.h"

#define SETTING(kind, name) "analysis.anomalies." kind "." name

// A rule for each of the two.
struct packet_flood {
    struct target_rule rule; // first
    const char *name;        // of what it counts
    const char *rate_setting, *ratio_setting;
};

static const struct packet_flood *flood_of(const struct target_detector *detector)
{
    return (const struct packet_flood *)(const void *)detector->rule;
}

static uint8_t protocol_of(const struct packet_flood *flood, const struct target_window *window)
{
    if (flood->rule.evidence == TARGET_UDP)
        return IP_PROTOCOL_UDP;
    return window->target.address.version == 6 ? IP_PROTOCOL_ICMPV6 : IP_PROTOCOL_ICMP;
}

// Where the target sent nothing no ratio would keep the alert away.
static void add_measures(struct target_finding *finding, const struct packet_flood *flood,
                         const struct packet_flood_settings *settings)
{
    double to = (double)finding->window->sums[0], from = (double)finding->window->sums[1];
    const struct alert_measure rate = {"packets a second to the target", flood->rate_setting,
                                       to / settings->common.window_secs, settings->packets_per_sec_threshold,
                                       0};
    const struct alert_measure ratio = {
        "packets to the target for each that it sent", from > 0 ? flood->ratio_setting : "",
        from > 0 ? to / from : fmax(to, settings->answer_ratio), settings->answer_ratio, 1};
    finding->times = rate.observed / rate.threshold;
    target_finding_add(finding, &rate);
    target_finding_add(finding, &ratio);
}

static void describe(struct alert *alert, const struct packet_flood *flood,
                     const struct target_window *window)
{
    char target[ENDPOINT_TEXT_BYTES], sources[SOURCES_TEXT_BYTES];
    snprintf(alert->description, sizeof alert->description,
             "%s got %" PRIu64 " %s packets in %" PRIu32 " s and sent %" PRIu64 ", from %s.",
             address_format(&alert->target[0].endpoint.address, target), window->sums[0], flood->name,
             alert->window_secs, window->sums[1], sources_format(alert->sources_total, sources));
}

static bool judge_window(const struct target_detector *detector, const struct target_window *window,
                         struct judge *judge, int64_t now_ns)
{
    const struct packet_flood_settings *settings = target_settings(detector);
    const struct packet_flood *flood = flood_of(detector);
    uint64_t secs = settings->common.window_secs;
    struct target_finding finding;
    if (window->sums[0] < settings->packets_per_sec_threshold * secs ||
        window->sums[0] <= settings->answer_ratio * window->sums[1])
        return false;
    target_finding_begin(&finding, window, protocol_of(flood, window));
    add_measures(&finding, flood, settings);
    struct alert *alert = target_finding_alert(&finding, detector, judge, now_ns);
    if (alert == NULL)
        return false;
    describe(alert, flood, window);
    judge_tell(judge);
    return false;
}

static const struct packet_flood udp_flood = {
    .rule = {.evidence = TARGET_UDP, .judge = judge_window},
    .name = "UDP",
    .rate_setting = SETTING("udp_flood", "packets_per_sec_threshold"),
    .ratio_setting = SETTING("udp_flood", "answer_ratio"),
};

static const struct packet_flood icmp_flood = {
    .rule = {.evidence = TARGET_ICMP, .judge = judge_window},
    .name = "ICMP",
    .rate_setting = SETTING("icmp_flood", "packets_per_sec_threshold"),
    .ratio_setting = SETTING("icmp_flood", "answer_ratio"),
};

const struct detector_row udp_flood_detector = {
    .kind = ALERT_UDP_FLOOD,
    .settings = offsetof(struct anomaly_settings, udp_flood),
    .ops = &target_detector_ops,
    .rule = &udp_flood.rule,
};

const struct detector_row icmp_flood_detector = {
    .kind = ALERT_ICMP_FLOOD,
    .settings = offsetof(struct anomaly_settings, icmp_flood),
    .ops = &target_detector_ops,
    .rule = &icmp_flood.rule,
};
