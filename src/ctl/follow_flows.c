// flows --follow: the records of flows as they come.
#include "api/build.h"
#include "base/time.h"
#include "ctl/complaint.h"
#include "ctl/filters.h"
#include "ctl/flow_text.h"
#include "ctl/follow.h"
#include "ctl/invocation.h"
#include "netscope/v1/flow_service.pb-c.h"

typedef Netscope__V1__WatchFlowsRequest Request;
typedef Netscope__V1__WatchFlowsResponse Response;

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

static const char *kind_name(const Netscope__V1__FlowEvent *event)
{
    static const char *const names[] = {"?", "began", "changed", "ended"};
    return (unsigned)event->kind < sizeof names / sizeof names[0] ? names[event->kind] : "?";
}

static uint64_t show(const struct follow *follow, struct server *server, const ProtobufCMessage *message,
                     uint64_t behind)
{
    const Response *response = (const Response *)message;
    (void)server;
    for (size_t i = 0; i < response->n_events; i++) {
        const Netscope__V1__FlowEvent *event = response->events[i];
        if (event->flow == NULL || event->sequence <= behind ||
            (follow->limit > 0 && follow->output->rows == follow->limit))
            continue;
        behind = event->sequence;
        if (output_is_for_programs(follow->output)) {
            output_add_row(follow->output, &event->flow->base);
        } else {
            flow_text_add_line(follow->output, event->flow, kind_name(event),
                               follow->with_node ? response->node : "");
            follow->output->rows++;
        }
    }
    return behind;
}

static enum ctl_exit run(const struct invocation *given, Request *request, struct fleet *fleet,
                         uint64_t limit)
{
    struct output output;
    struct follow follow = {.method = "/netscope.v1.FlowService/WatchFlows",
                            .what = "flow records",
                            .request = &request->base,
                            .options = request->options,
                            .response = &netscope__v1__watch_flows_response__descriptor,
                            .look = look,
                            .show = show,
                            .output = &output,
                            .with_node = fleet_is_several(fleet),
                            .limit = limit};
    if (!output_open(&output, given, &netscope__v1__flow__descriptor))
        return CTL_OUTPUT;
    return output_close(&output, follow_run(&follow, fleet));
}

static bool build_request(struct build *build, Request *request, const struct invocation *given,
                          struct error *error)
{
    struct flow_filters filters;
    if (!flow_filters_build(build, given, &filters, error))
        return false;
    if (given_is(given, "sort") || given_is(given, "reverse"))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "--sort and --reverse go without --follow: records come as they come");
    request->allow = filters.allow;
    request->n_allow = filters.allow_count;
    request->deny = filters.deny;
    request->n_deny = filters.deny_count;
    return true;
}

enum ctl_exit follow_flows(const struct invocation *given)
{
    struct build build;
    struct fleet fleet;
    struct error error;
    uint64_t limit;
    Request request = NETSCOPE__V1__WATCH_FLOWS_REQUEST__INIT;
    enum ctl_exit code = CTL_USAGE;
    build_init(&build);
    request.options = follow_options(&build, given, &limit, &error);
    if (request.options != NULL && build_request(&build, &request, given, &error) &&
        fleet_open(&fleet, given, &error)) {
        code = run(given, &request, &fleet, limit);
        fleet_close(&fleet);
    } else {
        complain_usage(&error);
    }
    build_done(&build);
    return code;
}
