// alerts: those that are kept, each as it was told last, the latest last as in a log; with --follow as they are told.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/alert_lines.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/complaint.h"
#include "ctl/filters.h"
#include "ctl/flow_text.h"
#include "ctl/follow.h"
#include "ctl/invocation.h"
#include "ctl/output.h"
#include "ctl/task.h"
#include "netscope/v1/alert_service.pb-c.h"

typedef Netscope__V1__ListAlertsRequest Request;
typedef Netscope__V1__ListAlertsResponse Response;
typedef Netscope__V1__Alert Alert;

enum { USUAL_ALERTS = 100, PAGE_ALERTS = 250 };

struct listing {
    struct task task; // first
    Request request;  // of the next page that is asked for
    uint64_t limit;   // of alerts; 0 = none
    int64_t since_ns;
    uint64_t *got; // from each server
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
static bool keep(struct listing *listing, uint64_t *got, Response *response)
{
    for (size_t i = 0; i < response->n_alerts; i++) {
        if (time_of(response->alerts[i]->ts) < listing->since_ns)
            return false;
        if (listing->limit > 0 && *got == listing->limit)
            return false;
        if (!make_room(listing))
            return false;
        (*got)++;
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
    Response *response = (Response *)message;
    uint64_t *got = &listing->got[server->index];
    assert(listing->limit == 0 || *got < listing->limit);
    bool more = keep(listing, got, response) && response->next_page_token[0] != '\0';
    let_go(response);
    if (!more || (listing->limit > 0 && *got == listing->limit))
        return NULL;
    listing->request.page_token = response->next_page_token;
    return &listing->request.base;
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
        Alert *alert = listing->alerts[i];
        pods_name_alert(&fleet->pods, alert);
        if (output_is_for_programs(output))
            output_add_row(output, &alert->base);
        else
            alert_lines_add(output, alert, fleet_is_several(fleet) ? alert->node : "");
    }
    if (listing->count == 0 && !output_is_for_programs(output))
        complain("no alert is kept that fits");
    output->text.failed |= listing->failed;
}

static enum ctl_exit list_alerts(struct task *task, struct fleet *fleet, struct output *output)
{
    struct listing *listing = (struct listing *)task;
    struct answers answers;
    struct question question = {.method = "/netscope.v1.AlertService/ListAlerts",
                                .request = &listing->request.base,
                                .response = &netscope__v1__list_alerts_response__descriptor,
                                .page = take_page,
                                .owner = listing};
    listing->got = calloc(fleet->count, sizeof *listing->got);
    if (listing->got == NULL)
        return CTL_OUTPUT;
    answers_get(&answers, fleet, &question);
    enum ctl_exit code = answers.exit_code;
    if (answers.missing < answers.count)
        show(listing, fleet, output);
    answers_done(&answers);
    for (size_t i = 0; i < listing->count; i++)
        netscope__v1__alert__free_unpacked(listing->alerts[i], NULL);
    free(listing->alerts);
    free(listing->got);
    return code;
}

static bool prepare(struct task *task, struct build *build, const struct invocation *given,
                    struct error *error)
{
    struct listing *listing = (struct listing *)task;
    struct alert_filters filters;
    if (!given_since(given, &listing->since_ns, error) ||
        !given_number(given, "limit", UINT32_MAX, USUAL_ALERTS, &listing->limit, error) ||
        !alert_filters_build(build, given, &filters, error))
        return false;
    FILTERS_PUT(&listing->request, &filters);
    listing->request.page_size = PAGE_ALERTS;
    return true;
}

enum ctl_exit run_alerts(const struct invocation *given)
{
    struct listing listing = {
        .task = {.row = &netscope__v1__alert__descriptor, .prepare = prepare, .run = list_alerts}};
    netscope__v1__list_alerts_request__init(&listing.request);
    return given_is(given, "follow") ? follow_alerts(given) : task_run(&listing.task, given);
}
