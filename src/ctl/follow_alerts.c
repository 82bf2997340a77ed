// alerts --follow: the alerts as they are told.
#include "ctl/alert_lines.h"
#include "ctl/filters.h"
#include "ctl/follow.h"
#include "ctl/invocation.h"
#include "netscope/v1/alert_service.pb-c.h"

typedef Netscope__V1__WatchAlertsRequest Request;
typedef Netscope__V1__WatchAlertsResponse Response;

static void look(const ProtobufCMessage *message, struct stream_message *into)
{
    *into = STREAM_MESSAGE((const Response *)message);
}

static struct stream_event event_of(const ProtobufCMessage *message, size_t index)
{
    const Netscope__V1__AlertEvent *event = ((const Response *)message)->events[index];
    return (struct stream_event){event->sequence, event->alert != NULL ? &event->alert->base : NULL};
}

static void name(const struct pods *pods, ProtobufCMessage *row)
{
    pods_name_alert(pods, (Netscope__V1__Alert *)row);
}

static void add_line(struct output *output, const ProtobufCMessage *message, size_t index, const char *node)
{
    alert_lines_add(output, ((const Response *)message)->events[index]->alert, node);
}

struct following_alerts {
    struct follow follow; // first
    Request request;
};

static bool prepare(struct task *task, struct build *build, const struct invocation *given,
                    struct error *error)
{
    struct following_alerts *alerts = (struct following_alerts *)task;
    struct alert_filters filters;
    if (!follow_prepare(&alerts->follow, build, given, error) ||
        !alert_filters_build(build, given, &filters, error))
        return false;
    alerts->request.options = alerts->follow.options;
    FILTERS_PUT(&alerts->request, &filters);
    return true;
}

enum ctl_exit follow_alerts(const struct invocation *given)
{
    struct following_alerts alerts = {
        .follow = {.task = {.row = &netscope__v1__alert__descriptor, .prepare = prepare, .run = follow_run},
                   .method = "/netscope.v1.AlertService/WatchAlerts",
                   .what = "alerts",
                   .response = &netscope__v1__watch_alerts_response__descriptor,
                   .look = look,
                   .event = event_of,
                   .name = name,
                   .add_line = add_line}};
    netscope__v1__watch_alerts_request__init(&alerts.request);
    alerts.follow.request = &alerts.request.base;
    return task_run(&alerts.follow.task, given);
}
