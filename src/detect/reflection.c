// reflection: answers that nobody asked for, to one target: SYN-ACKs, or UDP from ports of amplifiers, whose receiver had
// sent nothing in the flow. At least packets_per_sec_threshold a second over window_secs from at least
// unique_src_threshold sources, or at least flood_per_sec_threshold.
//
// A second or more is judged by its sum: a burst that alone is as much as window_secs would have to bring is found in
// its tick.
// Sees: amplification by the ports of is_amplifier_port() with all fragments, reflection of SYNs, mixtures of both (told
// without a protocol then). Cannot see: amplifiers on other ports (udp_flood does), answers in flows that the target
// opened. A SYN-ACK whose sender goes on is taken back: its client has answered, where that is not captured. Answers by UDP
// look unasked there: a resolver that gets 500 a second from ten servers is told then.
// Slowest: packets_per_sec_threshold.
// Accuracy: counts are exact as far as the target has its row (targets.h); sources are exact up to 64, beyond with a
// standard error of 12.7 %, of the last one to two windows.
#include <inttypes.h>
#include <stdio.h>

#include "detect/target_detector.h"
#include "net/protocol.h"

#define SETTING(name) "analysis.anomalies.reflection." name

static void add_measures(struct target_finding *finding, const struct reflection_settings *settings,
                         double per_sec, bool many)
{
    static const char what[] = "answers a second that nobody asked for";
    const struct alert_measure flood = {what, SETTING("flood_per_sec_threshold"), per_sec,
                                        settings->flood_per_sec_threshold, 0};
    const struct alert_measure rate = {what, SETTING("packets_per_sec_threshold"), per_sec,
                                       settings->packets_per_sec_threshold, 0};
    const struct alert_measure sources = {"sources", SETTING("unique_src_threshold"),
                                          (double)finding->sources, settings->unique_src_threshold, 1};
    if (many)
        target_finding_add(finding, &flood);
    if (finding->sources < settings->unique_src_threshold || per_sec < settings->packets_per_sec_threshold)
        return;
    target_finding_add(finding, &rate);
    if (!many)
        target_finding_add(finding, &sources);
}

static uint64_t unasked(const struct target_window *window)
{
    return window->sums[0] > window->sums[1] ? window->sums[0] - window->sums[1] : 0;
}

// Of its samples; 0 = of both.
static uint8_t protocol_of(const struct alert *alert)
{
    uint8_t protocol = alert->sample_count > 0 ? alert->sample[0].protocol : 0;
    for (unsigned i = 1; i < alert->sample_count; i++)
        if (alert->sample[i].protocol != protocol)
            return 0;
    return protocol;
}

static void describe(struct alert *alert, const struct target_window *window)
{
    char target[ENDPOINT_TEXT_BYTES], sources[SOURCES_TEXT_BYTES];
    alert->protocol = protocol_of(alert);
    alert->target[0].packets = unasked(window);
    snprintf(alert->description, sizeof alert->description,
             "%s got %" PRIu64 " %s in %" PRIu32 " s that it had not asked for, from %s.",
             address_format(&alert->target[0].endpoint.address, target), unasked(window),
             alert->protocol == IP_PROTOCOL_TCP   ? "SYN-ACKs"
             : alert->protocol == IP_PROTOCOL_UDP ? "UDP answers of amplifiers"
                                                  : "SYN-ACKs and UDP answers of amplifiers",
             alert->window_secs, sources_format(alert->sources_total, sources));
}

static bool judge_window(const struct target_detector *detector, const struct target_window *window,
                         struct judge *judge, int64_t now_ns)
{
    const struct reflection_settings *settings = target_settings(detector);
    uint64_t secs = settings->common.window_secs, answers = unasked(window);
    bool many = answers >= settings->flood_per_sec_threshold * secs;
    struct target_finding finding;
    if (!many && answers < settings->packets_per_sec_threshold * secs)
        return false;
    target_finding_begin(&finding, window, 0);
    if (!many && finding.sources < settings->unique_src_threshold)
        return false;
    finding.times = (double)answers / (double)secs / settings->packets_per_sec_threshold;
    add_measures(&finding, settings, (double)answers / (double)secs, many);
    struct alert *alert = target_finding_alert(&finding, detector, judge, now_ns);
    if (alert == NULL)
        return false;
    describe(alert, window);
    judge_tell(judge);
    return false;
}

static const struct target_rule rule = {
    .evidence = TARGET_UNASKED,
    .judge = judge_window,
};

const struct detector_row reflection_detector = {
    .kind = ALERT_REFLECTION,
    .settings = offsetof(struct anomaly_settings, reflection),
    .ops = &target_detector_ops,
    .rule = &rule,
};
