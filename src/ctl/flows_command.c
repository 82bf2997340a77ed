// flows: the flows that are alive, page by page; with --follow their records as they come.
#include <stdlib.h>
#include <string.h>

#include "base/text_table.h"
#include "base/units.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/complaint.h"
#include "ctl/filters.h"
#include "ctl/flow_list.h"
#include "ctl/flow_text.h"
#include "ctl/follow.h"
#include "ctl/invocation.h"
#include "ctl/options.h"
#include "ctl/output.h"
#include "ctl/task.h"
#include "netscope/v1/flow_service.pb-c.h"

typedef Netscope__V1__ListFlowsRequest Request;
typedef Netscope__V1__ListFlowsResponse Response;

enum { USUAL_FLOWS = 100, PAGE_FLOWS = 1000 };

struct listing {
    struct task task; // first
    Request request;  // of the next page that is asked for
    uint64_t limit;   // of flows; 0 = none
    struct fleet *fleet;
    struct output *output;
    uint64_t *got;          // from each server
    struct flow_list flows; // what waits to be shown: of one server a page, of several everything
    uint64_t total;         // that fit, of all servers
    int64_t as_of_ns;
};

static void show(struct listing *listing)
{
    struct flow_row how = {.wide = listing->output->format == OUTPUT_WIDE,
                           .with_node = fleet_is_several(listing->fleet),
                           .now_ns = listing->as_of_ns};
    flow_list_show(&listing->flows, listing->output, &how);
    flow_list_clear(&listing->flows);
}

static uint32_t page_size(const struct listing *listing, uint64_t got)
{
    uint64_t left = listing->limit > 0 ? listing->limit - got : PAGE_FLOWS;
    return (uint32_t)(left < PAGE_FLOWS ? left : PAGE_FLOWS);
}

static void take_flows(struct listing *listing, Response *response)
{
    bool has_total = response->total_value_case == NETSCOPE__V1__LIST_FLOWS_RESPONSE__TOTAL_VALUE_TOTAL;
    int64_t as_of_ns = time_of(response->as_of);
    listing->total += has_total ? response->total : 0;
    listing->as_of_ns = as_of_ns > listing->as_of_ns ? as_of_ns : listing->as_of_ns;
    for (size_t i = 0; i < response->n_flows; i++)
        pods_name_flow(&listing->fleet->pods, response->flows[i]);
    if (!flow_list_take(&listing->flows, response->flows, response->n_flows))
        listing->output->text.failed = true;
    response->n_flows = 0; // they are the list's now
}

static const ProtobufCMessage *take_page(void *owner, struct server *server, ProtobufCMessage *message)
{
    struct listing *listing = owner;
    Response *response = (Response *)message;
    uint64_t *got = &listing->got[server->index];
    if (*got == 0 && !output_is_for_programs(listing->output))
        complain_of_limits(response->limits, response->n_limits);
    *got += response->n_flows;
    take_flows(listing, response);
    if (!fleet_is_several(listing->fleet)) {
        show(listing);
        if (!output_flush(listing->output))
            return NULL;
    }
    if (response->next_page_token[0] == '\0' || (listing->limit > 0 && *got >= listing->limit))
        return NULL;
    listing->request.page_size = page_size(listing, *got);
    listing->request.page_token = response->next_page_token;
    return &listing->request.base;
}

static void tell_rest(const struct listing *listing)
{
    struct strbuf text;
    if (output_is_for_programs(listing->output) || (listing->flows.shown > 0 && listing->limit == 0) ||
        (listing->flows.shown > 0 && listing->flows.shown >= listing->total))
        return;
    if (listing->flows.shown == 0) {
        complain("no flow is alive that fits; --follow shows the records of those that end");
        return;
    }
    strbuf_init(&text, 256);
    units_add_count(&text, listing->flows.shown);
    strbuf_add(&text, " of ");
    units_add_count(&text, listing->total);
    strbuf_add(&text, " flows; -n 0 shows all of them");
    complain(text.text);
    strbuf_done(&text);
}

static enum ctl_exit list_flows(struct task *task, struct fleet *fleet, struct output *output)
{
    struct listing *listing = (struct listing *)task;
    struct answers answers;
    struct question question = {.method = "/netscope.v1.FlowService/ListFlows",
                                .request = &listing->request.base,
                                .response = &netscope__v1__list_flows_response__descriptor,
                                .page = take_page,
                                .owner = listing};
    listing->fleet = fleet;
    listing->output = output;
    listing->got = calloc(fleet->count, sizeof *listing->got);
    if (listing->got == NULL)
        return CTL_OUTPUT;
    listing->request.page_size = page_size(listing, 0);
    flow_list_init(&listing->flows);
    answers_get(&answers, fleet, &question);
    if (fleet_is_several(fleet)) {
        flow_list_sort(&listing->flows, (int)listing->request.order, listing->request.reverse);
        flow_list_cut(&listing->flows, listing->limit);
        show(listing);
    }
    output_flush(output);
    if (answers.missing < answers.count)
        tell_rest(listing);
    enum ctl_exit code = answers.exit_code;
    answers_done(&answers);
    flow_list_done(&listing->flows);
    free(listing->got);
    return code;
}

static bool prepare(struct task *task, struct build *build, const struct invocation *given,
                    struct error *error)
{
    struct listing *listing = (struct listing *)task;
    Request *request = &listing->request;
    struct flow_filters filters;
    const char *order = given_text(given, "sort");
    if (order != NULL)
        request->order = (Netscope__V1__FlowOrder)word_place(flow_order_words, order);
    request->reverse = given_is(given, "reverse");
    if (given_text(given, "since") != NULL)
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "--since goes with --follow: without it, flows that are alive are listed");
    if (!given_number(given, "limit", UINT32_MAX, USUAL_FLOWS, &listing->limit, error) ||
        !flow_filters_build(build, given, &filters, error))
        return false;
    FILTERS_PUT(request, &filters);
    return true;
}

enum ctl_exit run_flows(const struct invocation *given)
{
    struct listing listing = {
        .task = {.row = &netscope__v1__flow__descriptor, .prepare = prepare, .run = list_flows}};
    netscope__v1__list_flows_request__init(&listing.request);
    return given_is(given, "follow") ? follow_flows(given) : task_run(&listing.task, given);
}
