#include "control/metrics.h"

#include <ctype.h>

#include "base/metric_text.h"
#include "control/alert_metrics.h"
#include "running.h"

// A word is a name of the reference's section 7, as it stands in the document.
static void expect_named_well(const struct metric *metric)
{
    size_t length = strlen(metric->name);
    cr_expect_eq(strspn(metric->name, "abcdefghijklmnopqrstuvwxyz_"), length, "%s", metric->name);
    bool total = length > 6 && strcmp(metric->name + length - 6, "_total") == 0;
    cr_expect_eq(metric->type == METRIC_COUNTER, total, "%s", metric->name);
    if (metric->unit != NULL && !total)
        cr_expect_str_eq(metric->name + length - strlen(metric->unit), metric->unit);
    cr_expect_eq(metric->help[strlen(metric->help) - 1], '.', "%s", metric->help);
}

Test(metrics, names_follow_the_conventions)
{
    for (unsigned i = 0; i < run_metric_count; i++)
        expect_named_well(&run_metrics[i]);
}

static unsigned count_lines(const char *text, bool comments)
{
    unsigned count = 0;
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
        count += (*line == '#') == comments;
    return count;
}

Test(metrics, say_what_a_snapshot_knows, .timeout = 60)
{
    struct running running;
    struct strbuf text;
    begin_run(&running, "flow: {max_flows: 1000}\n");
    strbuf_init(&text, 1 << 20);
    metric_text_add(&text, control_metrics(running.control), METRIC_PROMETHEUS);
    cr_expect_eq(text.length, 0, "nothing is known yet");
    start_run(&running);
    metric_text_add(&text, control_metrics(running.control), METRIC_PROMETHEUS);
    cr_expect_not(text.failed);
    cr_expect_not_null(strstr(text.text, "\n# TYPE netscope_capture_packets_total counter\n"));
    cr_expect_not_null(strstr(text.text, "\nnetscope_flow_capacity 1000\n"));
    cr_expect_not_null(strstr(text.text, "\nnetscope_config_last_reload_successful 1\n"));
    cr_expect_not_null(strstr(text.text, "stage=\"kernel\",reason=\"ring_full\"} 0\n"));
    cr_expect_lt(count_lines(text.text, false), 300);
    cr_expect_eq(count_lines(text.text, true), 2 * (run_metric_count + alert_metric_count));
    control_reload_failed(running.control);
    strbuf_clear(&text);
    metric_text_add(&text, control_metrics(running.control), METRIC_PROMETHEUS);
    cr_expect_not_null(strstr(text.text, "\nnetscope_config_last_reload_successful 0\n"));
    strbuf_done(&text);
    end_run(&running);
}

Test(metrics, add_up_to_the_totals, .timeout = 60)
{
    struct running running;
    begin_run(&running, NULL);
    start_run(&running);
    const struct snapshot *snapshot = control_snapshot(running.control);
    struct run_figures figures = run_figures_of(running.control, &snapshot->totals, snapshot->now_ns);
    cr_expect_gt(snapshot->totals.received, 0);
    cr_expect_eq(run_metric_sum(&figures, "netscope_capture_packets_total"), snapshot->totals.received);
    cr_expect_eq(run_metric_sum(&figures, "netscope_capture_bytes_total"), snapshot->totals.received_bytes);
    cr_expect_eq(run_metric_sum(&figures, "netscope_packets_analysed_total"), snapshot->totals.analysed);
    snapshot_release(snapshot);
    end_run(&running);
}
