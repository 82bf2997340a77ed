// Of netscope.v1.Report: alerts.
#include "api/alert_message.h"
#include "api/report_message_build.h"
#include "netscope/v1/report.pb-c.h"

static void build_kinds(struct report_message *message, Netscope__V1__Report__Alerts *alerts)
{
    const struct report_alerts *from = &message->summary->alerts;
    unsigned kinds = 0, row = 0;
    for (unsigned kind = 0; kind < ALERT_KINDS; kind++)
        kinds += from->by_kind[kind] > 0;
    alerts->n_by_kind = build_rows(&message->build, &alerts->by_kind, kinds, sizeof **alerts->by_kind);
    for (unsigned kind = 0; kind < ALERT_KINDS && row < alerts->n_by_kind; kind++) {
        if (from->by_kind[kind] == 0)
            continue;
        Netscope__V1__Report__AlertKind *into = alerts->by_kind[row++];
        netscope__v1__report__alert_kind__init(into);
        into->kind = build_text(&message->build, alert_kind_name((enum alert_kind)kind));
        into->alerts = from->by_kind[kind];
    }
}

static void build_list(struct report_message *message, Netscope__V1__Report__Alerts *alerts)
{
    const struct report_alerts *from = &message->summary->alerts;
    unsigned count = (unsigned)build_rows(&message->build, &alerts->alerts, from->count, 1);
    message->alert_messages = build_part(&message->build, (count + 1) * sizeof(struct alert_message *));
    for (unsigned i = 0; i < count && message->alert_messages != NULL; i++) {
        struct alert_message *alert = alert_message_create();
        if (alert == NULL) {
            message->build.failed = true;
            return;
        }
        message->alert_messages[message->alert_message_count++] = alert;
        alerts->alerts[alerts->n_alerts++] =
            (Netscope__V1__Alert *)(uintptr_t)alert_message_fill(alert, &from->rows[i]);
    }
}

void build_alerts(struct report_message *message)
{
    Netscope__V1__Report__Alerts *alerts = build_part(&message->build, sizeof *alerts);
    if (alerts == NULL)
        return;
    netscope__v1__report__alerts__init(alerts);
    alerts->raised = message->summary->alerts.raised;
    build_kinds(message, alerts);
    build_list(message, alerts);
    message->report->alerts = alerts;
}
