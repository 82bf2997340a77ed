// Filters of flows, between being read and being asked: names and namespaces become addresses, which the run knows; and what the
// caller may not see is left out.
#include <stdio.h>
#include <string.h>

#include "aggregate/name_search.h"
#include "api/filter_request.h"
#include "api/visibility.h"
#include "flow/filter.h"
#include "netscope/v1/filter.pb-c.h"

typedef Netscope__V1__FlowFilter Filter;

bool filters_refuse(struct call *call, const struct error *error)
{
    const char *colon = strstr(error->text, ": ");
    if (error->kind != ERROR_INVALID_ARGUMENT)
        return status_from_error(&call->status, error);
    if (colon == NULL)
        return status_violate(&call->status, "", "%s", error->text);
    char field[STATUS_FIELD_BYTES];
    snprintf(field, sizeof field, "%.*s", (int)(colon - error->text), error->text);
    return status_violate(&call->status, field, "%s", colon + 2);
}

static bool find_names(struct call *call, struct flow_filter *filter)
{
    struct error error;
    if (filter->name_count == 0)
        return true;
    struct name_search *search =
        control_find_names(call->api->control, filter->names, filter->name_count, &error);
    if (search == NULL)
        return status_from_error(&call->status, &error);
    struct prefix *prefixes = build_part(&call->build, search->count * sizeof *prefixes + 1);
    if (prefixes != NULL && search->count > 0)
        memcpy(prefixes, search->prefixes, search->count * sizeof *prefixes);
    filter->named = (struct filter_prefixes){prefixes, prefixes != NULL ? search->count : 0};
    message_release(&search->message);
    return true;
}

bool places_take(struct call *call, const char *const *namespaces, unsigned count,
                 const struct filter_places **out)
{
    struct error error;
    struct name_search *search = control_find_places(call->api->control, namespaces, count, &error);
    if (search == NULL)
        return status_from_error(&call->status, &error);
    struct filter_places *places = build_part(&call->build, sizeof *places);
    struct filter_place *items = build_part(&call->build, search->count * sizeof *items + 1);
    if (places != NULL && items != NULL) {
        memcpy(items, search->places, search->count * sizeof *items);
        *places = (struct filter_places){items, search->count};
    }
    message_release(&search->message);
    *out = places;
    return !call->build.failed ||
           status_set(&call->status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for the filters");
}

static const Netscope__V1__EndpointFilter *end_of(const Filter *from, enum filter_role role)
{
    const Netscope__V1__EndpointFilter *const ends[FILTER_ROLES] = {
        [FILTER_ONE_END] = from->one_end,
        [FILTER_OTHER_END] = from->other_end,
        [FILTER_CLIENT] = from->client,
        [FILTER_SERVER] = from->server,
    };
    return ends[role];
}

static bool find_places(struct call *call, const Filter *from, struct flow_filter *filter)
{
    for (int role = 0; role < FILTER_ROLES; role++) {
        const Netscope__V1__EndpointFilter *end = end_of(from, (enum filter_role)role);
        if (end != NULL && end->n_namespaces > 0 &&
            !places_take(call, (const char *const *)end->namespaces, (unsigned)end->n_namespaces,
                         &filter->end[role].places))
            return false;
    }
    return true;
}

bool filters_prepare(struct call *call, const struct filter_end *inside, struct flow_filters *filters,
                     struct flow_selection **out)
{
    struct flow_filter mine = {.end[FILTER_ONE_END] = *inside};
    struct error error;
    bool any = filters->allow_count + filters->deny_count > 0;
    *out = NULL;
    if (call->limits != NULL) {
        *out = flow_filter_prepare(&(struct flow_filters){.allow = &mine, .allow_count = 1}, &error);
        if (*out == NULL)
            return status_from_error(&call->status, &error);
    }
    if (!any)
        return true;
    filters->within = *out;
    *out = flow_filter_prepare(filters, &error);
    flow_selection_release(filters->within);
    return *out != NULL || filters_refuse(call, &error);
}

bool flow_selection_take(struct call *call, const struct flow_filters *filters, struct flow_selection **out)
{
    struct filter_end inside;
    struct flow_filters narrowed = *filters;
    *out = NULL;
    return visibility_take_inside(call, &inside) && filters_prepare(call, &inside, &narrowed, out);
}

bool filters_look_up(struct call *call, const struct filter_end *inside, Filter *const *from, size_t count,
                     struct flow_filter *filters)
{
    for (size_t i = 0; i < count; i++) {
        filters[i].inside = *inside;
        if (!find_names(call, &filters[i]) || !find_places(call, from[i], &filters[i]))
            return false;
    }
    return true;
}
