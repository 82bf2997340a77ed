#include "control/alert_metrics.h"

#include <criterion/criterion.h>

#include "aggregate/snapshot.h"
#include "base/metric_text.h"
#include "base/strbuf.h"

static const void *hold(void *owner)
{
    return owner;
}

static void release(void *owner, const void *held)
{
    cr_expect_eq(owner, held);
}

static void expect_line(const struct strbuf *text, const char *line)
{
    cr_expect_not_null(strstr(text->text, line), "%s", line);
}

Test(alert_metrics, say_what_the_judge_counted)
{
    static struct snapshot snapshot;
    struct judge_counts *counts = &snapshot.detect.counts;
    counts->told[ALERT_PORT_SCAN][ALERT_HIGH] = 3;
    counts->told[ALERT_OVERFLOW][ALERT_LOW] = 1;
    counts->active[ALERT_SYN_FLOOD] = 2;
    counts->suppressed_cooldown[ALERT_UDP_FLOOD] = 4;
    counts->suppressed_rate[ALERT_HOST_SWEEP] = 5;
    counts->suppressed_allowed[ALERT_REFLECTION] = 6;
    snapshot.detect.degraded[ALERT_PORT_SCAN] = true;
    struct metric_registry registry;
    struct metric_group group = {alert_metrics, alert_metric_count, &snapshot, hold, release};
    struct strbuf text;
    strbuf_init(&text, 1 << 16);
    metric_registry_init(&registry);
    metric_registry_add(&registry, &group);
    metric_text_add(&text, &registry, METRIC_PROMETHEUS);
    expect_line(&text, "\nnetscope_alerts_total{kind=\"port_scan\",severity=\"high\"} 3\n");
    expect_line(&text, "\nnetscope_alerts_total{kind=\"port_scan\",severity=\"low\"} 0\n");
    expect_line(&text, "\nnetscope_alerts_total{kind=\"overflow\",severity=\"low\"} 1\n");
    expect_line(&text, "\nnetscope_alerts_active{kind=\"syn_flood\"} 2\n");
    expect_line(&text, "\nnetscope_alerts_suppressed_total{kind=\"udp_flood\",reason=\"cooldown\"} 4\n");
    expect_line(&text, "\nnetscope_alerts_suppressed_total{kind=\"host_sweep\",reason=\"rate\"} 5\n");
    expect_line(&text, "\nnetscope_alerts_suppressed_total{kind=\"reflection\",reason=\"allowed\"} 6\n");
    expect_line(&text, "\nnetscope_detector_degraded{kind=\"port_scan\"} 1\n");
    expect_line(&text, "\nnetscope_detector_degraded{kind=\"host_sweep\"} 0\n");
    cr_expect_null(strstr(text.text, "netscope_detector_degraded{kind=\"overflow\"}"));
    metric_registry_done(&registry);
    strbuf_done(&text);
}
