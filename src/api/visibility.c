#include "api/visibility.h"

#include <assert.h>
#include <string.h>

#include "aggregate/name_search.h"
#include "api/call.h"
#include "api/filter_request.h"
#include "flow/filter.h"

const struct limits *limits_narrowing(const struct limits *limits)
{
    bool narrows = limits != NULL && limits->network_count + limits->namespace_count > 0;
    return narrows ? limits : NULL;
}

static bool holds_address(const struct limits *limits, const struct address *address)
{
    for (unsigned i = 0; i < limits->network_count; i++)
        if (prefix_contains(&limits->networks[i], address))
            return true;
    return limits->network_count == 0;
}

bool limits_hold_end(const struct limits *limits, const struct address *address, const char *name_space)
{
    if (limits == NULL)
        return true;
    bool named = limits->namespace_count == 0;
    for (unsigned i = 0; i < limits->namespace_count && !named; i++)
        named = strcmp(limits->namespaces[i], name_space) == 0;
    return named && holds_address(limits, address);
}

bool limits_hold_network(const struct limits *limits, const struct prefix *network)
{
    if (limits == NULL || limits->network_count == 0)
        return true;
    for (unsigned i = 0; i < limits->network_count; i++)
        if (limits->networks[i].bits <= network->bits &&
            prefix_contains(&limits->networks[i], &network->address))
            return true;
    return false;
}

// Flows.

static bool end_is_inside(const struct limits *limits, const struct flow_event *event, int side)
{
    return limits_hold_end(limits, &event->record.endpoint[side].address,
                           flow_event_text(event, EVENT_TEXT_NAMESPACE + (unsigned)side));
}

const struct flow_event *flow_as_seen(const struct limits *limits, const struct flow_event *event,
                                      struct flow_event *scratch)
{
    if (limits == NULL)
        return event;
    bool inside[2] = {end_is_inside(limits, event, 0), end_is_inside(limits, event, 1)};
    if (inside[0] && inside[1])
        return event;
    if (!inside[0] && !inside[1])
        return NULL;
    unsigned other = inside[0] ? 1 : 0;
    assert(scratch != event);
    *scratch = *event;
    scratch->name_source[other] = NAME_WITHHELD;
    scratch->text[EVENT_TEXT_NAME + other] = NULL;
    scratch->text[EVENT_TEXT_NAMESPACE + other] = NULL;
    return scratch;
}

// Alerts.

// Leaves those that lie inside; returns how many.
static unsigned reduce_parties(const struct limits *limits, struct alert_party *parties,
                               struct alert_name *names, unsigned count)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!limits_hold_end(limits, &parties[i].endpoint.address, names[i].name_space))
            continue;
        parties[kept] = parties[i];
        names[kept++] = names[i];
    }
    return kept;
}

static bool is_party(const struct alert_party *parties, unsigned count, const struct address *address)
{
    for (unsigned i = 0; i < count; i++)
        if (address_compare(&parties[i].endpoint.address, address) == 0)
            return true;
    return false;
}

// Of a flow's ends nothing but the addresses is known: by networks one lies inside, or it is a party that does.
static bool sample_is_seen(const struct limits *limits, const struct alert *alert,
                           const struct alert_sample *sample)
{
    const struct address *ends[2] = {&sample->client.address, &sample->server.address};
    for (unsigned i = 0; i < 2; i++)
        if ((limits->namespace_count == 0 && holds_address(limits, ends[i])) ||
            is_party(alert->source, alert->source_count, ends[i]) ||
            is_party(alert->target, alert->target_count, ends[i]))
            return true;
    return false;
}

static void reduce_samples(const struct limits *limits, struct alert *alert)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < alert->sample_count; i++)
        if (sample_is_seen(limits, alert, &alert->sample[i]))
            alert->sample[kept++] = alert->sample[i];
    alert->sample_count = kept;
}

// What counts others, or tells of them. What is left blank has its word in alert_message.c.
static void withhold(struct alert *alert)
{
    alert->sources_total = alert->targets_total = 0;
    alert->suppressed_count = 0;
    alert->measure_count = 0;
    alert->observed = alert->loss_ratio = alert->confidence = 0;
    alert->description[0] = '\0';
}

const struct alert_event *alert_as_seen(const struct limits *limits, const struct alert_event *event,
                                        struct alert_event *scratch)
{
    if (limits == NULL)
        return event;
    struct alert *alert = &scratch->alert;
    assert(scratch != event && !event->limited);
    assert(event->alert.source_count <= ALERT_PARTIES && event->alert.target_count <= ALERT_PARTIES);
    *scratch = *event;
    scratch->limited = true;
    alert->source_count = reduce_parties(limits, alert->source, scratch->source_name, alert->source_count);
    alert->target_count = reduce_parties(limits, alert->target, scratch->target_name, alert->target_count);
    if (alert->source_count + alert->target_count == 0)
        return NULL;
    reduce_samples(limits, alert);
    withhold(alert);
    return scratch;
}

// Calls.

bool visibility_take_inside(struct call *call, struct filter_end *inside)
{
    const struct limits *limits = call->limits;
    *inside = (struct filter_end){0};
    if (limits == NULL)
        return true;
    inside->networks = (struct filter_prefixes){limits->networks, limits->network_count};
    return limits->namespace_count == 0 ||
           places_take(call, limits->namespaces, limits->namespace_count, &inside->places);
}

size_t build_limits(struct build *build, const struct limits *limits, char ***list)
{
    size_t count = limits != NULL ? build_rows(build, list, limits->word_count, 1) : 0;
    for (size_t i = 0; i < count; i++)
        (*list)[i] = build_copy(build, limits->words[i]);
    return count;
}
