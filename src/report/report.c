#include "report/report.h"

#include <stdlib.h>

#include "report/alerts.h"
#include "report/findings.h"
#include "report/flows.h"
#include "report/names.h"
#include "report/totals.h"

struct report {
    struct sink sink; // first: the sink is the report
    struct report_flows flows;
    struct report_names names;
    struct alert_list alerts;
    struct totals totals; // of the end of the run
    struct report_summary summary;
};

static struct report *report_of(struct sink *sink)
{
    return (struct report *)(void *)sink;
}

static void take_run(struct sink *sink, const struct flow_event *events, unsigned count)
{
    report_flows_run(&report_of(sink)->flows, events, count);
    for (unsigned i = 0; i < count; i++)
        if (events[i].record.final)
            report_names_add_flow(&report_of(sink)->names, &events[i]);
}

static void take_dns(struct sink *sink, const struct dns_transaction *transaction)
{
    report_names_add_dns(&report_of(sink)->names, transaction);
}

static void take_alert(struct sink *sink, const struct alert_event *event)
{
    alert_list_add(&report_of(sink)->alerts, event);
}

static bool take_end(struct sink *sink, const struct totals *totals, struct error *error)
{
    (void)error;
    report_of(sink)->totals = *totals;
    return true;
}

static void destroy_sink(struct sink *sink)
{
    report_destroy(report_of(sink));
}

static const struct sink_ops report_ops = {
    .name = "report",
    .run = take_run,
    .dns = take_dns,
    .alert = take_alert,
    .finish = take_end,
    .destroy = destroy_sink,
};

struct report *report_create(unsigned top)
{
    struct report *report = calloc(1, sizeof *report);
    if (report == NULL)
        return NULL;
    report->sink.ops = &report_ops;
    if (!report_flows_init(&report->flows, top) || !report_names_init(&report->names, top) ||
        !alert_list_init(&report->alerts, top)) {
        report_destroy(report);
        return NULL;
    }
    return report;
}

void report_destroy(struct report *report)
{
    if (report == NULL)
        return;
    report_flows_free(&report->summary);
    report_names_free(&report->summary);
    report_flows_done(&report->flows);
    report_names_done(&report->names);
    alert_list_done(&report->alerts);
    free(report);
}

struct sink *report_sink(struct report *report)
{
    return &report->sink;
}

const struct report_summary *report_finish_summary(struct report *report,
                                                   const struct report_context *context)
{
    struct report_summary *summary = &report->summary;
    summary->context = *context;
    report_totals_fill(summary, &report->totals, report->flows.protocol_flows);
    if (!report_flows_finish(&report->flows, summary) ||
        !report_names_finish(&report->names, &report->totals, summary))
        return NULL;
    alert_list_finish(&report->alerts, summary);
    report_findings(summary);
    return summary;
}
