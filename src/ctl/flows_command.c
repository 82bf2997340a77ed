// flows: the flows that are alive, page by page; with --follow their records as they come.
#include <stdlib.h>
#include <string.h>

#include "api/build.h"
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
#include "netscope/v1/flow_service.pb-c.h"

typedef Netscope__V1__ListFlowsRequest Request;
typedef Netscope__V1__ListFlowsResponse Response;

enum { USUAL_FLOWS = 100, PAGE_FLOWS = 1000 };

// One server's part of the list.
struct progress {
    Request next; // the request of its next page
    char *page_token;
    uint64_t got;
};

struct listing {
    struct fleet *fleet;
    struct output *output;
    const Request *request;
    uint64_t limit; // 0 = none
    struct progress *places;
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

static const ProtobufCMessage *take_page(void *owner, struct server *server, ProtobufCMessage *message)
{
    struct listing *listing = owner;
    struct progress *place = &listing->places[server->index];
    Response *response = (Response *)message;
    place->got += response->n_flows;
    listing->total += response->total_value_case == NETSCOPE__V1__LIST_FLOWS_RESPONSE__TOTAL_VALUE_TOTAL
                          ? response->total
                          : 0;
    int64_t as_of_ns = time_of(response->as_of);
    listing->as_of_ns = as_of_ns > listing->as_of_ns ? as_of_ns : listing->as_of_ns;
    if (!flow_list_take(&listing->flows, response->flows, response->n_flows))
        listing->output->text.failed = true;
    response->n_flows = 0; // they are the list's now
    if (!fleet_is_several(listing->fleet)) {
        show(listing);
        if (!output_flush(listing->output))
            return NULL;
    }
    if (response->next_page_token[0] == '\0' || (listing->limit > 0 && place->got >= listing->limit))
        return NULL;
    free(place->page_token);
    place->page_token = strdup(response->next_page_token);
    place->next = *listing->request;
    place->next.page_size = page_size(listing, place->got);
    place->next.page_token = place->page_token;
    return place->page_token != NULL ? &place->next.base : NULL;
}

static void tell_rest(const struct listing *listing)
{
    struct strbuf text;
    if (listing->flows.shown >= listing->total || listing->limit == 0 ||
        output_is_for_programs(listing->output))
        return;
    strbuf_init(&text, 256);
    units_add_count(&text, listing->flows.shown);
    strbuf_add(&text, " of ");
    units_add_count(&text, listing->total);
    strbuf_add(&text, " flows; -n 0 shows all of them");
    complain(text.text);
    strbuf_done(&text);
}

static enum ctl_exit list_flows(struct fleet *fleet, struct output *output, Request *request, uint64_t limit)
{
    struct listing listing = {.fleet = fleet, .output = output, .request = request, .limit = limit};
    struct answers answers;
    struct question question = {.method = "/netscope.v1.FlowService/ListFlows",
                                .request = &request->base,
                                .response = &netscope__v1__list_flows_response__descriptor,
                                .page = take_page,
                                .owner = &listing};
    listing.places = calloc(fleet->count, sizeof *listing.places);
    if (listing.places == NULL)
        return CTL_OUTPUT;
    request->page_size = page_size(&listing, 0);
    flow_list_init(&listing.flows);
    answers_get(&answers, fleet, &question);
    if (fleet_is_several(fleet)) {
        flow_list_sort(&listing.flows, request->order, request->reverse);
        flow_list_cut(&listing.flows, limit);
        show(&listing);
    }
    output_flush(output);
    tell_rest(&listing);
    enum ctl_exit code = answers.exit_code;
    answers_done(&answers);
    flow_list_done(&listing.flows);
    for (unsigned i = 0; i < fleet->count; i++)
        free(listing.places[i].page_token);
    free(listing.places);
    return code;
}

static bool build_request(struct build *build, Request *request, const struct invocation *given,
                          uint64_t *limit, struct error *error)
{
    struct flow_filters filters;
    netscope__v1__list_flows_request__init(request);
    const char *order = given_text(given, "sort");
    if (order != NULL)
        request->order = (Netscope__V1__FlowOrder)word_value(flow_order_words, order);
    request->reverse = given_is(given, "reverse");
    if (given_text(given, "since") != NULL)
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "--since goes with --follow: without it, flows that are alive are listed");
    if (!given_number(given, "limit", UINT32_MAX, USUAL_FLOWS, limit, error) ||
        !flow_filters_build(build, given, &filters, error))
        return false;
    request->allow = filters.allow;
    request->n_allow = filters.allow_count;
    request->deny = filters.deny;
    request->n_deny = filters.deny_count;
    return true;
}

enum ctl_exit run_flows(const struct invocation *given)
{
    struct build build;
    struct fleet fleet;
    struct output output;
    struct error error;
    Request request;
    uint64_t limit;
    if (given_is(given, "follow"))
        return follow_flows(given);
    build_init(&build);
    enum ctl_exit code = CTL_OUTPUT;
    if (!build_request(&build, &request, given, &limit, &error) || !fleet_open(&fleet, given, &error)) {
        code = complain_usage(&error);
    } else {
        if (output_open(&output, given, &netscope__v1__flow__descriptor))
            code = output_close(&output, list_flows(&fleet, &output, &request, limit));
        fleet_close(&fleet);
    }
    build_done(&build);
    return code;
}
