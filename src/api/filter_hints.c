// FilterHints: the values that a field of a filter has among the flows that are alive. One question about the heaviest flows,
// as TopFlows asks it, and their values added up here: no table of values is kept anywhere.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/answer.h"
#include "api/call.h"
#include "api/filter_request.h"
#include "api/visibility.h"
#include "flow/filter.h"
#include "flow/page.h"
#include "net/protocol.h"
#include "netscope/v1/flow_service.pb-c.h"

enum { HINTS = 20, MOST_HINTS = 100, VALUES_OF_A_FLOW = 4 };

struct hint {
    const char *value;
    uint64_t weight;
};

struct hints {
    struct build *build;
    const struct limits *limits; // of the caller
    const char *prefix;
    struct hint *items; // VALUES_OF_A_FLOW for each row
    unsigned count;
    unsigned of_row; // the first one of the flow that is looked at
    uint64_t weight; // of that flow
};

// A text that lives as long as the answer. A flow counts once for a value, wherever it has it.
static void add(struct hints *hints, const char *value)
{
    if (value[0] == '\0' || strncasecmp(value, hints->prefix, strlen(hints->prefix)) != 0)
        return;
    for (unsigned i = hints->of_row; i < hints->count; i++)
        if (strcmp(hints->items[i].value, value) == 0)
            return;
    assert(hints->count - hints->of_row < VALUES_OF_A_FLOW);
    hints->items[hints->count++] = (struct hint){value, hints->weight};
}

static void add_copy(struct hints *hints, const char *value)
{
    add(hints, build_text(hints->build, value));
}

static void add_number(struct hints *hints, uint32_t number)
{
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    add_copy(hints, text);
}

static void add_names(struct hints *hints, const struct flow_event *event)
{
    static const unsigned texts[] = {FLOW_TEXT_SNI, FLOW_TEXT_DNS_QUERY, EVENT_TEXT_NAME,
                                     EVENT_TEXT_NAME + 1};
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++)
        add_copy(hints, flow_event_text(event, texts[i]));
}

static bool has_ports(const struct flow_record *record)
{
    return record->protocol == IP_PROTOCOL_TCP || record->protocol == IP_PROTOCOL_UDP ||
           record->protocol == IP_PROTOCOL_SCTP;
}

// The server's; of both ends where it is not known which one it is.
static void add_ports(struct hints *hints, const struct flow_record *record)
{
    for (int side = 0; has_ports(record) && side < 2; side++)
        if (side != record->client)
            add_number(hints, record->endpoint[side].port);
}

static void add_values(struct hints *hints, Netscope__V1__HintField field, const struct flow_event *event)
{
    const struct flow_record *record = &event->record;
    char text[16];
    switch (field) {
    case NETSCOPE__V1__HINT_FIELD__HINT_FIELD_PROTOCOL:
        add_copy(hints, ip_protocol_text(record->protocol, text));
        break;
    case NETSCOPE__V1__HINT_FIELD__HINT_FIELD_APP:
        if (record->facts.app != FLOW_APP_NONE)
            add(hints, flow_app_name(record->facts.app));
        break;
    case NETSCOPE__V1__HINT_FIELD__HINT_FIELD_INTERFACE:
        add_copy(hints, flow_event_text(event, EVENT_TEXT_INTERFACE));
        break;
    case NETSCOPE__V1__HINT_FIELD__HINT_FIELD_NAME:
        add_names(hints, event);
        break;
    case NETSCOPE__V1__HINT_FIELD__HINT_FIELD_NAMESPACE:
        add_copy(hints, flow_event_text(event, EVENT_TEXT_NAMESPACE));
        add_copy(hints, flow_event_text(event, EVENT_TEXT_NAMESPACE + 1));
        break;
    case NETSCOPE__V1__HINT_FIELD__HINT_FIELD_SERVER_PORT:
        add_ports(hints, record);
        break;
    case NETSCOPE__V1__HINT_FIELD__HINT_FIELD_ADDRESS:
        add(hints, build_address(hints->build, &record->endpoint[0].address));
        add(hints, build_address(hints->build, &record->endpoint[1].address));
        break;
    case NETSCOPE__V1__HINT_FIELD__HINT_FIELD_VLAN:
        if (record->has_vlan)
            add_number(hints, record->vlan);
        break;
    default:
        assert(field == NETSCOPE__V1__HINT_FIELD__HINT_FIELD_NODE);
        add_copy(hints, flow_event_text(event, EVENT_TEXT_NODE));
    }
}

static int by_value(const void *left, const void *right)
{
    return strcmp(((const struct hint *)left)->value, ((const struct hint *)right)->value);
}

static int by_weight(const void *left, const void *right)
{
    const struct hint *a = left, *b = right;
    return a->weight != b->weight ? (a->weight < b->weight ? 1 : -1) : by_value(left, right);
}

// Each value once, the heaviest first.
static void add_up(struct hints *hints)
{
    unsigned values = 0;
    qsort(hints->items, hints->count, sizeof *hints->items, by_value);
    for (unsigned i = 0; i < hints->count; i++)
        if (values > 0 && strcmp(hints->items[values - 1].value, hints->items[i].value) == 0)
            hints->items[values - 1].weight += hints->items[i].weight;
        else
            hints->items[values++] = hints->items[i];
    hints->count = values;
    qsort(hints->items, values, sizeof *hints->items, by_weight);
}

static bool gather(struct hints *hints, Netscope__V1__HintField field, const struct flow_page *page)
{
    hints->items =
        build_part(hints->build, ((size_t)page->count * VALUES_OF_A_FLOW + 1) * sizeof *hints->items);
    for (unsigned row = 0; hints->items != NULL && row < page->count; row++) {
        struct flow_event scratch;
        const struct flow_event *event = answer_row(page, row);
        if (event == NULL)
            return false;
        event = flow_as_seen(hints->limits, event, &scratch);
        if (event == NULL)
            continue; // its names have changed since it was selected
        hints->of_row = hints->count;
        hints->weight = event->record.bytes[0] + event->record.bytes[1];
        add_values(hints, field, event);
    }
    return hints->items != NULL && !hints->build->failed;
}

static void build_hints(struct call *call, const struct hints *hints, const struct flow_page *page,
                        uint32_t limit)
{
    typedef Netscope__V1__FilterHintsResponse Hints;
    Hints *answer = CALL_RESPONSE(call, Hints, netscope__v1__filter_hints_response__init);
    if (answer == NULL)
        return;
    CALL_IDENTIFY(call, answer);
    unsigned told = hints->count < limit ? hints->count : limit;
    answer->n_values = build_rows(&call->build, &answer->values, told, sizeof **answer->values);
    for (unsigned i = 0; i < answer->n_values; i++) {
        netscope__v1__filter_hint__init(answer->values[i]);
        answer->values[i]->value = build_borrowed(hints->items[i].value);
        answer->values[i]->weight = hints->items[i].weight;
    }
    answer->matched = page->matched;
    answer->looked_at = page->count;
    answer->n_limits = build_limits(&call->build, call->caller->limits, &answer->limits);
    answer->truncated = hints->count > limit || page->matched > page->count;
}

static bool check(struct call *call, const Netscope__V1__FilterHintsRequest *request)
{
    if (request->field == NETSCOPE__V1__HINT_FIELD__HINT_FIELD_UNSPECIFIED)
        status_violate(&call->status, "field", "say which field hints are wanted for");
    if (request->limit > MOST_HINTS)
        status_violate(&call->status, "limit", "at most %d values are told", MOST_HINTS);
    return call->status.code == STATUS_OK;
}

bool flows_hint(struct call *call, struct ProtobufCMessage *message)
{
    const Netscope__V1__FilterHintsRequest *request = (const Netscope__V1__FilterHintsRequest *)message;
    struct flow_query query = {.limit = FLOW_QUERY_LIMIT};
    struct hints hints = {.build = &call->build, .limits = call->limits, .prefix = request->prefix};
    struct flow_page *page;
    if (!check(call, request) || !flow_filters_take(call, request->allow, request->n_allow, request->deny,
                                                    request->n_deny, &query.selection))
        return false;
    bool good = flows_ask(call, &query, &page);
    if (good && gather(&hints, request->field, page)) {
        add_up(&hints);
        build_hints(call, &hints, page, request->limit != 0 ? request->limit : HINTS);
    } else if (good) {
        good = status_set(&call->status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for the answer");
    }
    flow_selection_release(query.selection);
    return good;
}
