// flows --follow: the records of flows as they come.
#include "ctl/filters.h"
#include "ctl/flow_text.h"
#include "ctl/follow.h"
#include "ctl/invocation.h"
#include "netscope/v1/flow_service.pb-c.h"

typedef Netscope__V1__WatchFlowsRequest Request;
typedef Netscope__V1__WatchFlowsResponse Response;

static void look(const ProtobufCMessage *message, struct stream_message *into)
{
    *into = STREAM_MESSAGE((const Response *)message);
}

static struct stream_event event_of(const ProtobufCMessage *message, size_t index)
{
    const Netscope__V1__FlowEvent *event = ((const Response *)message)->events[index];
    return (struct stream_event){event->sequence, event->flow != NULL ? &event->flow->base : NULL};
}

static void name(const struct pods *pods, ProtobufCMessage *row)
{
    pods_name_flow(pods, (Netscope__V1__Flow *)row);
}

static void add_line(struct output *output, const ProtobufCMessage *message, size_t index, const char *node)
{
    static const char *const names[] = {"?", "began", "changed", "ended"};
    const Netscope__V1__FlowEvent *event = ((const Response *)message)->events[index];
    unsigned kind = (unsigned)event->kind;
    flow_text_add_line(output, event->flow, kind < sizeof names / sizeof names[0] ? names[kind] : "?", node);
}

struct following_flows {
    struct follow follow; // first
    Request request;
};

static bool prepare(struct task *task, struct build *build, const struct invocation *given,
                    struct error *error)
{
    struct following_flows *flows = (struct following_flows *)task;
    struct flow_filters filters;
    if (given_is(given, "sort") || given_is(given, "reverse"))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "--sort and --reverse go without --follow: records come as they come");
    if (!follow_prepare(&flows->follow, build, given, error) ||
        !flow_filters_build(build, given, &filters, error))
        return false;
    flows->request.options = flows->follow.options;
    FILTERS_PUT(&flows->request, &filters);
    return true;
}

enum ctl_exit follow_flows(const struct invocation *given)
{
    struct following_flows flows = {
        .follow = {.task = {.row = &netscope__v1__flow__descriptor, .prepare = prepare, .run = follow_run},
                   .method = "/netscope.v1.FlowService/WatchFlows",
                   .what = "flow records",
                   .response = &netscope__v1__watch_flows_response__descriptor,
                   .look = look,
                   .event = event_of,
                   .name = name,
                   .add_line = add_line}};
    netscope__v1__watch_flows_request__init(&flows.request);
    flows.follow.request = &flows.request.base;
    return task_run(&flows.follow.task, given);
}
