// alerts: those that are kept, each as it was told last, the latest last as in a log; with --follow as they are told.
#include <stdlib.h>
#include <string.h>

#include "api/build.h"
#include "ctl/alert_lines.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/complaint.h"
#include "ctl/filters.h"
#include "ctl/flow_text.h"
#include "ctl/follow.h"
#include "ctl/invocation.h"
#include "ctl/output.h"
#include "netscope/v1/alert_service.pb-c.h"

typedef Netscope__V1__ListAlertsRequest Request;
typedef Netscope__V1__ListAlertsResponse Response;
typedef Netscope__V1__Alert Alert;

enum { USUAL_ALERTS = 100, PAGE_ALERTS = 250 };

struct progress {
    Request next;
    char *page_token;
    uint64_t got;
};

struct listing {
    const Request *request;
    uint64_t limit; // 0 = none
    int64_t since_ns;
    struct progress *places; // one a server
    Alert **alerts;
    size_t count, room;
    bool failed; // no memory
};

static bool make_room(struct listing *listing)
{
    if (listing->count < listing->room)
        return true;
    size_t room = listing->room > 0 ? 2 * listing->room : 128;
    Alert **alerts = realloc(listing->alerts, room * sizeof *alerts);
    if (alerts == NULL) {
        listing->failed = true;
        return false;
    }
    listing->alerts = alerts;
    listing->room = room;
    return true;
}

// The latest told come first, so that one of before `since` has none of interest behind it.
static bool keep(struct listing *listing, struct progress *place, Response *response)
{
    for (size_t i = 0; i < response->n_alerts; i++) {
        if (time_of(response->alerts[i]->ts) < listing->since_ns)
            return false;
        if (listing->limit > 0 && place->got == listing->limit)
            return false;
        if (!make_room(listing))
            return false;
        place->got++;
        listing->alerts[listing->count++] = response->alerts[i];
        response->alerts[i] = NULL;
    }
    return true;
}

// Those that were not kept go; the others are the listing's.
static void let_go(Response *response)
{
    for (size_t i = 0; i < response->n_alerts; i++)
        if (response->alerts[i] != NULL)
            netscope__v1__alert__free_unpacked(response->alerts[i], NULL);
    response->n_alerts = 0;
}

static const ProtobufCMessage *take_page(void *owner, struct server *server, ProtobufCMessage *message)
{
    struct listing *listing = owner;
    struct progress *place = &listing->places[server->index];
    Response *response = (Response *)message;
    bool more = keep(listing, place, response) && response->next_page_token[0] != '\0';
    let_go(response);
    if (!more || (listing->limit > 0 && place->got == listing->limit))
        return NULL;
    free(place->page_token);
    place->page_token = strdup(response->next_page_token);
    place->next = *listing->request;
    place->next.page_token = place->page_token;
    return place->page_token != NULL ? &place->next.base : NULL;
}

static int compare(const void *left, const void *right)
{
    const Alert *first = *(Alert *const *)left, *second = *(Alert *const *)right;
    int64_t first_ns = time_of(first->ts), second_ns = time_of(second->ts);
    if (first_ns != second_ns)
        return first_ns < second_ns ? -1 : 1;
    int by_node = strcmp(first->node, second->node);
    return by_node != 0 ? by_node : strcmp(first->id, second->id);
}

static void show(struct listing *listing, const struct fleet *fleet, struct output *output)
{
    size_t first =
        listing->limit > 0 && listing->count > listing->limit ? listing->count - listing->limit : 0;
    if (listing->count > 0)
        qsort(listing->alerts, listing->count, sizeof(Alert *), compare);
    for (size_t i = first; i < listing->count; i++) {
        const Alert *alert = listing->alerts[i];
        if (output_is_for_programs(output))
            output_add_row(output, &alert->base);
        else
            alert_lines_add(output, alert, fleet_is_several(fleet) ? alert->node : "");
    }
    if (listing->count == 0 && !output_is_for_programs(output))
        complain("no alert is kept that fits");
    output->text.failed |= listing->failed;
}

static enum ctl_exit list_alerts(struct listing *listing, struct fleet *fleet, struct output *output)
{
    struct answers answers;
    struct question question = {.method = "/netscope.v1.AlertService/ListAlerts",
                                .request = &listing->request->base,
                                .response = &netscope__v1__list_alerts_response__descriptor,
                                .page = take_page,
                                .owner = listing};
    listing->places = calloc(fleet->count, sizeof *listing->places);
    if (listing->places == NULL)
        return CTL_OUTPUT;
    answers_get(&answers, fleet, &question);
    enum ctl_exit code = answers.exit_code;
    if (answers.missing < answers.count)
        show(listing, fleet, output);
    answers_done(&answers);
    for (unsigned i = 0; i < fleet->count; i++)
        free(listing->places[i].page_token);
    for (size_t i = 0; i < listing->count; i++)
        netscope__v1__alert__free_unpacked(listing->alerts[i], NULL);
    free(listing->alerts);
    free(listing->places);
    return code;
}

static bool build_request(struct build *build, Request *request, struct listing *listing,
                          const struct invocation *given, struct error *error)
{
    struct alert_filters filters;
    if (!given_since(given, &listing->since_ns, error) ||
        !given_number(given, "limit", UINT32_MAX, USUAL_ALERTS, &listing->limit, error) ||
        !alert_filters_build(build, given, &filters, error))
        return false;
    request->allow = filters.allow;
    request->n_allow = filters.allow_count;
    request->deny = filters.deny;
    request->n_deny = filters.deny_count;
    request->page_size = PAGE_ALERTS;
    listing->request = request;
    return true;
}

enum ctl_exit run_alerts(const struct invocation *given)
{
    struct build build;
    struct fleet fleet;
    struct output output;
    struct error error;
    struct listing listing = {.limit = 0};
    Request request = NETSCOPE__V1__LIST_ALERTS_REQUEST__INIT;
    if (given_is(given, "follow"))
        return follow_alerts(given);
    build_init(&build);
    enum ctl_exit code = CTL_OUTPUT;
    if (!build_request(&build, &request, &listing, given, &error) || !fleet_open(&fleet, given, &error)) {
        code = complain_usage(&error);
    } else {
        if (output_open(&output, given, &netscope__v1__alert__descriptor))
            code = output_close(&output, list_alerts(&listing, &fleet, &output));
        fleet_close(&fleet);
    }
    build_done(&build);
    return code;
}
