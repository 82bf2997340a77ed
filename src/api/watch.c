// WatchFlows and WatchAlerts: what a stream takes of each log.
#include <assert.h>
#include <stdlib.h>

#include "aggregate/alert_event.h"
#include "aggregate/flow_event.h"
#include "api/alert_message.h"
#include "api/filter_request.h"
#include "api/flow_message.h"
#include "api/packed_flows.h"
#include "api/stream.h"
#include "api/stream_source.h"
#include "api/visibility.h"
#include "base/time.h"
#include "flow/filter.h"
#include "netscope/v1/alert_service.pb-c.h"
#include "netscope/v1/flow_service.pb-c.h"

enum { FLOW_DELAY_MS = 50 };

// The bytes of an event's message, over those of the one before.
struct packed {
    uint8_t *bytes;
    size_t room;
};

static const uint8_t *pack(struct packed *into, const ProtobufCMessage *message, size_t *length)
{
    *length = protobuf_c_message_get_packed_size(message);
    if (*length > into->room) {
        uint8_t *bytes = realloc(into->bytes, 2 * *length);
        if (bytes == NULL)
            return NULL;
        *into = (struct packed){bytes, 2 * *length};
    }
    protobuf_c_message_pack(message, into->bytes);
    return into->bytes;
}

// Flows.

struct flow_source {
    struct stream_source source;
    struct flow_selection *selection; // NULL = all
    uint32_t kinds;                   // bits; 0 = all
    bool basic;
    struct flow_message *message;
    struct packed packed;
    struct api *api;
};

static_assert(FLOW_ENDED == 0 && FLOW_CHANGED == 1 && FLOW_BEGAN == 2, "kinds are counted down from ENDED");

static Netscope__V1__FlowEventKind kind_of(const struct flow_event *event)
{
    return (Netscope__V1__FlowEventKind)(NETSCOPE__V1__FLOW_EVENT_KIND__FLOW_EVENT_KIND_ENDED -
                                         (int)event->record.event);
}

static const struct flow_event *flow_at(const struct event_block *block, uint32_t place)
{
    return &((const struct flow_block *)block)->events[place];
}

static int64_t flow_time(const struct event_block *block, uint32_t place)
{
    return flow_at(block, place)->record.end_ns;
}

static bool flow_is_seen(struct stream_source *source, const struct event_block *block, uint32_t place)
{
    struct flow_event scratch;
    return flow_as_seen(source->limits, flow_at(block, place), &scratch) != NULL;
}

// Filters ask the record for its texts, which an event has beside it.
static bool flow_fits(struct stream_source *source, const struct event_block *block, uint32_t place)
{
    const struct flow_source *flows = (const struct flow_source *)source;
    const struct flow_event *event = flow_at(block, place);
    if (flows->kinds != 0 && (flows->kinds >> kind_of(event) & 1) == 0)
        return false;
    if (source->limits != NULL && !flow_is_seen(source, block, place))
        return false;
    if (flows->selection == NULL)
        return true;
    struct flow_record record = event->record;
    struct flow_names names = flow_names_none;
    for (unsigned text = 0; text < FLOW_TEXTS; text++)
        names.text[text] = flow_event_text(event, text);
    record.names = &names;
    return flow_selection_fits(flows->selection, &record);
}

static const uint8_t *pack_flow(struct flow_source *flows, const struct event_block *block, uint32_t place,
                                size_t *length)
{
    struct stream_source *source = &flows->source;
    struct flow_event scratch;
    const struct flow_event *event = flow_as_seen(source->limits, flow_at(block, place), &scratch);
    Netscope__V1__FlowEvent message;
    assert(event != NULL);
    netscope__v1__flow_event__init(&message);
    flow_message_fill(flows->message, event);
    message.flow = flows->basic ? flow_message_reduce(flows->message) : flow_message_whole(flows->message);
    message.sequence = source->limits == NULL ? block->first + place : 0; // a sequence is a total
    message.kind = kind_of(event);
    return pack(&flows->packed, &message.base, length);
}

// For a single stream nothing is kept.
static const uint8_t *flow_pack(struct stream_source *source, const struct event_block *block, uint32_t place,
                                size_t *length)
{
    struct flow_source *flows = (struct flow_source *)source;
    struct packed_flows *shared = flows->api->packed_flows;
    uint64_t sequence = block->first + place;
    if (source->limits != NULL || atomic_load_explicit(&flows->api->streams, memory_order_relaxed) < 2)
        return pack_flow(flows, block, place, length);
    const uint8_t *bytes = packed_flows_find(shared, sequence, flows->basic, length);
    if (bytes != NULL)
        return bytes;
    bytes = pack_flow(flows, block, place, length);
    if (bytes != NULL)
        packed_flows_keep(shared, sequence, flows->basic, bytes, *length);
    return bytes;
}

static void flow_destroy(struct stream_source *source)
{
    struct flow_source *flows = (struct flow_source *)source;
    flow_selection_release(flows->selection);
    flow_message_destroy(flows->message);
    free(flows->packed.bytes);
    free(flows);
}

static const struct stream_source_ops flow_ops = {
    .log = CURSOR_FLOWS,
    .time = flow_time,
    .is_seen = flow_is_seen,
    .fits = flow_fits,
    .pack = flow_pack,
    .destroy = flow_destroy,
};

static uint32_t take_kinds(struct call *call, const Netscope__V1__WatchFlowsRequest *request)
{
    uint32_t kinds = 0;
    for (size_t i = 0; i < request->n_kinds; i++) {
        if (request->kinds[i] == NETSCOPE__V1__FLOW_EVENT_KIND__FLOW_EVENT_KIND_UNSPECIFIED)
            status_violate(&call->status, "kinds", "give BEGAN, CHANGED or ENDED, or no kinds for all");
        kinds |= UINT32_C(1) << request->kinds[i];
    }
    return kinds;
}

struct stream *flows_watch(struct call *call, struct ProtobufCMessage *message)
{
    const Netscope__V1__WatchFlowsRequest *request = (const Netscope__V1__WatchFlowsRequest *)message;
    struct stream_options options;
    uint32_t kinds = take_kinds(call, request);
    stream_options_take(call, CURSOR_FLOWS, request->options, FLOW_DELAY_MS * NS_PER_MS, &options);
    if (call->status.code != STATUS_OK)
        return NULL;
    struct flow_source *flows = calloc(1, sizeof *flows);
    if (flows == NULL) {
        stream_lacks_memory(call);
        return NULL;
    }
    flows->source = (struct stream_source){&flow_ops, control_flow_events(call->api->control), call->limits};
    flows->api = call->api;
    flows->kinds = kinds;
    flows->basic = request->view == NETSCOPE__V1__FLOW_VIEW__FLOW_VIEW_BASIC;
    flows->message = flow_message_create();
    if (flows->message == NULL)
        stream_lacks_memory(call);
    else if (flow_filters_take(call, request->allow, request->n_allow, request->deny, request->n_deny,
                               &flows->selection))
        return log_stream_create(call, &flows->source, &options);
    flow_destroy(&flows->source);
    return NULL;
}

// Alerts.

struct alert_source {
    struct stream_source source;
    struct alert_selection *selection;
    struct alert_message *message;
    struct alert_event scratch;
    struct packed packed;
};

static const struct alert_event *alert_at(const struct event_block *block, uint32_t place)
{
    return &((const struct alert_block *)block)->events[place];
}

static int64_t alert_time(const struct event_block *block, uint32_t place)
{
    return alert_at(block, place)->alert.ts_ns;
}

// As the caller sees it; NULL: he does not.
static const struct alert_event *alert_seen(struct stream_source *source, const struct event_block *block,
                                            uint32_t place)
{
    return alert_as_seen(source->limits, alert_at(block, place), &((struct alert_source *)source)->scratch);
}

static bool alert_is_seen(struct stream_source *source, const struct event_block *block, uint32_t place)
{
    return alert_seen(source, block, place) != NULL;
}

static bool alert_fits(struct stream_source *source, const struct event_block *block, uint32_t place)
{
    const struct alert_event *seen = alert_seen(source, block, place);
    return seen != NULL && alert_selection_fits(((struct alert_source *)source)->selection, seen);
}

static const uint8_t *alert_pack(struct stream_source *source, const struct event_block *block,
                                 uint32_t place, size_t *length)
{
    struct alert_source *alerts = (struct alert_source *)source;
    const struct alert_event *seen = alert_seen(source, block, place);
    Netscope__V1__AlertEvent message;
    netscope__v1__alert_event__init(&message);
    message.alert = (Netscope__V1__Alert *)(uintptr_t)alert_message_fill(alerts->message, seen);
    message.sequence = source->limits == NULL ? block->first + place : 0; // a sequence is a total
    return pack(&alerts->packed, &message.base, length);
}

static void alert_destroy(struct stream_source *source)
{
    struct alert_source *alerts = (struct alert_source *)source;
    alert_selection_destroy(alerts->selection);
    alert_message_destroy(alerts->message);
    free(alerts->packed.bytes);
    free(alerts);
}

static const struct stream_source_ops alert_ops = {
    .log = CURSOR_ALERTS,
    .time = alert_time,
    .is_seen = alert_is_seen,
    .fits = alert_fits,
    .pack = alert_pack,
    .destroy = alert_destroy,
};

struct stream *alerts_watch(struct call *call, struct ProtobufCMessage *message)
{
    const Netscope__V1__WatchAlertsRequest *request = (const Netscope__V1__WatchAlertsRequest *)message;
    struct stream_options options;
    if (!stream_options_take(call, CURSOR_ALERTS, request->options, 0, &options))
        return NULL;
    struct alert_source *alerts = calloc(1, sizeof *alerts);
    if (alerts == NULL) {
        stream_lacks_memory(call);
        return NULL;
    }
    alerts->source =
        (struct stream_source){&alert_ops, control_alert_events(call->api->control), call->limits};
    alerts->message = alert_message_create();
    if (alerts->message == NULL)
        stream_lacks_memory(call);
    else if (alert_filters_take(call, request->allow, request->n_allow, request->deny, request->n_deny,
                                &alerts->selection))
        return log_stream_create(call, &alerts->source, &options);
    alert_destroy(&alerts->source);
    return NULL;
}
