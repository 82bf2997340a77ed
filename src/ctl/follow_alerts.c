// alerts --follow: the alerts as they are told.
#include "api/build.h"
#include "ctl/alert_lines.h"
#include "ctl/complaint.h"
#include "ctl/filters.h"
#include "ctl/follow.h"
#include "ctl/invocation.h"
#include "netscope/v1/alert_service.pb-c.h"

typedef Netscope__V1__WatchAlertsRequest Request;
typedef Netscope__V1__WatchAlertsResponse Response;

static void look(const ProtobufCMessage *message, struct stream_message *into)
{
    const Response *response = (const Response *)message;
    *into = (struct stream_message){.instance_id = response->instance_id,
                                    .cursor = response->cursor,
                                    .gaps = response->gaps,
                                    .gap_count = response->n_gaps,
                                    .heartbeat = response->heartbeat,
                                    .start = response->start,
                                    .end = response->end};
}

static uint64_t show(const struct follow *follow, struct server *server, const ProtobufCMessage *message,
                     uint64_t behind)
{
    const Response *response = (const Response *)message;
    (void)server;
    for (size_t i = 0; i < response->n_events; i++) {
        const Netscope__V1__AlertEvent *event = response->events[i];
        if (event->alert == NULL || event->sequence <= behind ||
            (follow->limit > 0 && follow->output->rows == follow->limit))
            continue;
        behind = event->sequence;
        if (output_is_for_programs(follow->output)) {
            output_add_row(follow->output, &event->alert->base);
        } else {
            alert_lines_add(follow->output, event->alert, follow->with_node ? response->node : "");
            follow->output->rows++;
        }
    }
    return behind;
}

static enum ctl_exit run(const struct invocation *given, Request *request, struct fleet *fleet,
                         uint64_t limit)
{
    struct output output;
    struct follow follow = {.method = "/netscope.v1.AlertService/WatchAlerts",
                            .what = "alerts",
                            .request = &request->base,
                            .options = request->options,
                            .response = &netscope__v1__watch_alerts_response__descriptor,
                            .look = look,
                            .show = show,
                            .output = &output,
                            .with_node = fleet_is_several(fleet),
                            .limit = limit};
    if (!output_open(&output, given, &netscope__v1__alert__descriptor))
        return CTL_OUTPUT;
    return output_close(&output, follow_run(&follow, fleet));
}

enum ctl_exit follow_alerts(const struct invocation *given)
{
    struct build build;
    struct fleet fleet;
    struct error error;
    struct alert_filters filters;
    uint64_t limit;
    Request request = NETSCOPE__V1__WATCH_ALERTS_REQUEST__INIT;
    enum ctl_exit code = CTL_USAGE;
    build_init(&build);
    request.options = follow_options(&build, given, &limit, &error);
    if (request.options != NULL && alert_filters_build(&build, given, &filters, &error) &&
        fleet_open(&fleet, given, &error)) {
        request.allow = filters.allow;
        request.n_allow = filters.allow_count;
        request.deny = filters.deny;
        request.n_deny = filters.deny_count;
        code = run(given, &request, &fleet, limit);
        fleet_close(&fleet);
    } else {
        complain_usage(&error);
    }
    build_done(&build);
    return code;
}
