#include "control/alert_metrics.h"

#include "control/control_inside.h"

static const struct judge_counts *counts_of(const void *held)
{
    const struct snapshot *snapshot = held;
    return &snapshot->detect.counts;
}

static void give(const struct metric *metric, struct metric_reader *reader, unsigned kind, const char *second,
                 uint64_t value)
{
    const char *labels[METRIC_LABELS] = {alert_kind_name((enum alert_kind)kind), second};
    metric_labelled(metric, reader, labels, value);
}

static void read_told(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    for (unsigned kind = 0; kind < ALERT_KINDS; kind++)
        for (unsigned severity = 0; severity < ALERT_SEVERITIES; severity++)
            give(metric, reader, kind, alert_severity_name((enum alert_severity)severity),
                 counts_of(held)->told[kind][severity]);
}

static void read_on(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    for (unsigned kind = 0; kind < ALERT_KINDS; kind++)
        give(metric, reader, kind, NULL, counts_of(held)->active[kind]);
}

// What the overflow alert stands for is counted under the kinds that it is about.
static void read_suppressed(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct judge_counts *counts = counts_of(held);
    for (unsigned kind = 0; kind < ALERT_OVERFLOW; kind++) {
        give(metric, reader, kind, "cooldown", counts->suppressed_cooldown[kind]);
        give(metric, reader, kind, "rate", counts->suppressed_rate[kind]);
        give(metric, reader, kind, "allowed", counts->suppressed_allowed[kind]);
    }
}

static void read_degraded(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct snapshot *snapshot = held;
    for (unsigned kind = 0; kind < ALERT_OVERFLOW; kind++)
        give(metric, reader, kind, NULL, snapshot->detect.degraded[kind]);
}

// clang-format off
const struct metric alert_metrics[] = {
    {"netscope_alerts_total", METRIC_COUNTER, NULL, "Alerts that were raised.", {"kind", "severity"}, read_told},
    {"netscope_alerts_active", METRIC_GAUGE, NULL, "Alerts that began and have not ended.", {"kind"}, read_on},
    {"netscope_alerts_suppressed_total", METRIC_COUNTER, NULL,
     "Findings that were not told: again within the cool-down, past max_alerts_per_minute, or allowed.",
     {"kind", "reason"}, read_suppressed},
    {"netscope_detector_degraded", METRIC_GAUGE, NULL,
     "Whether a detector is silent because only one direction of the traffic is seen.", {"kind"}, read_degraded},
};
// clang-format on
const unsigned alert_metric_count = sizeof alert_metrics / sizeof alert_metrics[0];
_Static_assert(ALERT_OVERFLOW + 1 == ALERT_KINDS, "the last kind is no detector's");

static const void *hold(void *owner)
{
    return control_snapshot(owner);
}

static void release(void *owner, const void *held)
{
    (void)owner;
    snapshot_release(held);
}

void alert_metrics_add(struct control *control)
{
    struct metric_group group = {alert_metrics, alert_metric_count, control, hold, release};
    metric_registry_add(&control->metrics, &group);
}
