// WatchPackets and GetPacket: the sample as a stream, and one of its packets in detail.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/sink.h"
#include "api/field_path.h"
#include "api/filter_request.h"
#include "api/packet_call.h"
#include "api/packet_sample.h"
#include "api/stream.h"
#include "api/stream_source.h"
#include "api/text.h"
#include "api/wire.h"
#include "base/time.h"
#include "decode/fields.h"
#include "flow/filter.h"
#include "flow/key.h"
#include "netscope/v1/packet.pb-c.h"
#include "pipeline/frame_packet.h"

typedef Netscope__V1__FlowFilter Filter;
typedef Netscope__V1__GetPacketResponse Detail;

enum { PACKET_DELAY_MS = 50, LINE_BYTES = 4096, SAMPLED_OUT_FIELD = 10 };

static void decode_event(const struct packet_event *event, struct packet *packet)
{
    struct frame frame = {.time_ns = event->time_ns,
                          .bytes = event->bytes,
                          .captured = event->kept,
                          .length = event->length,
                          .interface = event->interface,
                          .link_type = event->link_type};
    frame_decode(&frame, event->number, &(struct decode_options){.tunnels = true}, packet);
}

static Netscope__V1__Packet *build_packet(struct build *build, const struct api *api,
                                          const struct packet_event *event, const struct packet *packet)
{
    char name[SINK_INTERFACE_BYTES];
    const char *interface = sink_interface_name(control_source(api->control), packet->interface, name);
    struct strbuf line;
    Netscope__V1__Packet *into = build_part(build, sizeof *into);
    if (into == NULL)
        return NULL;
    netscope__v1__packet__init(into);
    strbuf_init(&line, LINE_BYTES);
    packet_add_line(&line, packet, interface);
    into->id = event->number;
    into->time = build_time(build, event->time_ns);
    into->interface = build_text(build, interface);
    into->length = event->length;
    into->captured = event->captured;
    into->summary = build_copy(build, line.text != NULL ? line.text : "");
    strbuf_done(&line);
    return into;
}

static ProtobufCBinaryData build_bytes(struct build *build, const struct packet_event *event)
{
    ProtobufCBinaryData data = {.data = build_part(build, event->kept + 1)};
    if (data.data == NULL)
        return data;
    memcpy(data.data, event->bytes, event->kept);
    data.len = event->kept;
    return data;
}

// --- WatchPackets ---

struct packet_source {
    struct stream_source source;
    struct api *api;
    struct flow_selection *selection; // NULL = all
    bool only;                        // what the filters allow: a packet without addresses fits none
    uint32_t sample_every;
    uint64_t sampled_out;
    bool with_data;
    bool watches;
    struct build build; // of the event that was packed last
};

static const struct packet_event *event_at(const struct event_block *block, uint32_t place)
{
    return &((const struct packet_block *)block)->events[place];
}

static int64_t packet_time(const struct event_block *block, uint32_t place)
{
    return event_at(block, place)->time_ns;
}

// A packet as filters of flows ask about it: one packet, whose sender is known and whose client is not.
static bool record_of(const struct packet *packet, struct flow_record *record)
{
    struct flow_key key;
    uint8_t sender;
    if (!flow_key_of_packet(packet, &key, &sender))
        return false;
    *record = (struct flow_record){.protocol = key.protocol,
                                   .interface = packet->interface,
                                   .has_vlan = packet->vlans > 0,
                                   .vlan = packet->vlan[0],
                                   .handshake_rtt_ns = -1,
                                   .client = -1,
                                   .facts = flow_names_none.facts};
    for (unsigned side = 0; side < 2; side++) {
        record->endpoint[side].address.version = key.ip_version;
        memcpy(record->endpoint[side].address.bytes, key.addresses[side], sizeof key.addresses[side]);
        record->endpoint[side].port = key.ports[side];
    }
    record->tunnel = (struct flow_tunnel){.kind = packet->tunnel.kind};
    if (packet->tunnel.kind != TUNNEL_NONE)
        record->tunnel.id = packet->tunnel.id;
    record->packets[sender] = 1;
    record->bytes[sender] = packet->length;
    return true;
}

static bool packet_fits(struct stream_source *source, const struct event_block *block, uint32_t place)
{
    struct packet_source *packets = (struct packet_source *)source;
    struct packet packet;
    struct flow_record record;
    if (packets->sample_every > 1 && (block->first + place) % packets->sample_every != 0) {
        packets->sampled_out++;
        return false;
    }
    if (packets->selection == NULL)
        return true;
    decode_event(event_at(block, place), &packet);
    return record_of(&packet, &record) ? flow_selection_fits(packets->selection, &record) : !packets->only;
}

static const uint8_t *packet_pack(struct stream_source *source, const struct event_block *block,
                                  uint32_t place, size_t *length)
{
    struct packet_source *packets = (struct packet_source *)source;
    const struct packet_event *event = event_at(block, place);
    struct packet packet;
    Netscope__V1__PacketEvent message;
    decode_event(event, &packet);
    build_done(&packets->build);
    build_init(&packets->build);
    netscope__v1__packet_event__init(&message);
    message.sequence = block->first + place;
    message.packet = build_packet(&packets->build, packets->api, event, &packet);
    if (packets->with_data)
        message.data = build_bytes(&packets->build, event);
    uint8_t *bytes = build_packed(&packets->build, &message.base, length);
    return packets->build.failed ? NULL : bytes;
}

// Whoever may only see some flows sees no packets at all.
static bool packet_is_seen(struct stream_source *source, const struct event_block *block, uint32_t place)
{
    (void)block;
    (void)place;
    assert(source->limits == NULL);
    return true;
}

static void packet_add(struct stream_source *source, struct strbuf *into)
{
    const struct packet_source *packets = (const struct packet_source *)source;
    if (packets->sampled_out == 0)
        return;
    wire_add_key(into, SAMPLED_OUT_FIELD, WIRE_VARINT);
    wire_add_varint(into, packets->sampled_out);
}

static void packet_destroy(struct stream_source *source)
{
    struct packet_source *packets = (struct packet_source *)source;
    if (packets->watches)
        packet_sample_leave(packets->api->sample);
    flow_selection_release(packets->selection);
    build_done(&packets->build);
    free(packets);
}

static const struct stream_source_ops packet_ops = {
    .log = CURSOR_PACKETS,
    .time = packet_time,
    .is_seen = packet_is_seen,
    .fits = packet_fits,
    .pack = packet_pack,
    .destroy = packet_destroy,
    .add = packet_add,
};

// What only a flow has cannot be asked of a packet: an answer of nothing would look like quiet.
static void refuse_flow_fields(struct call *call, const char *list, Filter *const *filters, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const Filter *filter = filters[i];
        const struct {
            const char *name;
            bool given;
        } fields[] = {
            {"client", filter->client != NULL},
            {"server", filter->server != NULL},
            {"tcp_states", filter->n_tcp_states > 0},
            {"apps", filter->n_apps > 0},
            {"conn_states", filter->n_conn_states > 0},
            {"sni_statuses", filter->n_sni_statuses > 0},
            {"tls_versions", filter->n_tls_versions > 0},
            {"ids", filter->n_ids > 0},
            {"packets", filter->packets != NULL},
            {"duration", filter->duration != NULL},
            {"retransmissions", filter->retransmissions != NULL},
            {"rtt", filter->rtt != NULL},
        };
        struct field_path path = {0};
        field_path_enter(&path, list, (int)i);
        for (size_t j = 0; j < sizeof fields / sizeof fields[0]; j++) {
            size_t before = field_path_enter(&path, fields[j].name, FIELD_PATH_WHOLE);
            if (fields[j].given)
                status_violate(&call->status, path.text,
                               "a packet has none: ask for one_end, other_end, protocols, interfaces...");
            field_path_leave(&path, before);
        }
    }
}

static bool open_source(struct call *call, const Netscope__V1__WatchPacketsRequest *request,
                        struct packet_source *packets)
{
    struct error error;
    packets->source = (struct stream_source){.ops = &packet_ops, .log = packet_sample_log(call->api->sample)};
    packets->api = call->api;
    packets->sample_every = request->sample_every;
    packets->only = request->n_allow > 0;
    packets->with_data = request->with_data;
    build_init(&packets->build);
    if (!flow_filters_take(call, request->allow, request->n_allow, request->deny, request->n_deny,
                           &packets->selection))
        return false;
    packets->watches = packet_sample_watch(call->api->sample, &error);
    return packets->watches || status_from_error(&call->status, &error);
}

struct stream *packets_watch(struct call *call, struct ProtobufCMessage *message)
{
    const Netscope__V1__WatchPacketsRequest *request = (const Netscope__V1__WatchPacketsRequest *)message;
    struct stream_options options;
    if (!packets_may_be_seen(call))
        return NULL;
    refuse_flow_fields(call, "allow", request->allow, request->n_allow);
    refuse_flow_fields(call, "deny", request->deny, request->n_deny);
    stream_options_take(call, CURSOR_PACKETS, request->options, PACKET_DELAY_MS * NS_PER_MS, &options);
    if (call->status.code != STATUS_OK)
        return NULL;
    struct packet_source *packets = calloc(1, sizeof *packets);
    if (packets == NULL) {
        stream_lacks_memory(call);
        return NULL;
    }
    if (!open_source(call, request, packets)) {
        packet_destroy(&packets->source);
        return NULL;
    }
    struct stream *stream = log_stream_create(call, &packets->source, &options);
    if (stream != NULL)
        packets->sampled_out = 0; // what was looked at to find where it begins
    return stream;
}

// --- GetPacket ---

static const struct packet_event *find_in(const struct event_run *run, uint64_t number)
{
    for (uint32_t i = run->begin; i < run->end; i++)
        if (event_at(run->block, i)->number == number)
            return event_at(run->block, i);
    return NULL;
}

// The event, in the reader's hands; NULL = it is not kept.
static const struct packet_event *find_event(struct event_reader *reader, uint64_t number)
{
    const struct packet_event *event = NULL;
    struct event_run run;
    while (event == NULL && event_reader_take(reader, 0, &run) && run.block != NULL)
        event = find_in(&run, number);
    return event;
}

static void fill_field(struct build *build, const struct fields *fields, const struct field *field,
                       Netscope__V1__PacketField *into)
{
    netscope__v1__packet_field__init(into);
    into->name = build_copy(build, field_name(fields, field));
    into->value = build_copy(build, field_value(fields, field));
    into->offset = field->offset;
    into->length = field->length;
}

// What stands inside a field (depth 2) is a layer's field as well.
static void fill_layer(struct build *build, const struct fields *fields, unsigned first, unsigned depth,
                       Netscope__V1__PacketLayer *into)
{
    unsigned end = first + 1;
    while (end < fields->count && fields->items[end].depth > 0)
        end++;
    netscope__v1__packet_layer__init(into);
    into->depth = depth;
    into->name = build_copy(build, field_name(fields, &fields->items[first]));
    size_t rows = build_rows(build, &into->fields, end - first - 1, sizeof **into->fields);
    for (; into->n_fields < rows; into->n_fields++)
        fill_field(build, fields, &fields->items[first + 1 + into->n_fields], into->fields[into->n_fields]);
}

static void build_layers(struct build *build, const struct fields *fields, Detail *detail)
{
    unsigned layers = 0;
    for (unsigned i = 0; i < fields->count; i++)
        layers += fields->items[i].depth == 0;
    size_t rows = build_rows(build, &detail->layers, layers, sizeof **detail->layers);
    for (unsigned i = 0; i < fields->count && detail->n_layers < rows; i++)
        if (fields->items[i].depth == 0) {
            fill_layer(build, fields, i, (unsigned)detail->n_layers, detail->layers[detail->n_layers]);
            detail->n_layers++;
        }
}

static void build_detail(struct call *call, const struct packet_event *event)
{
    Detail *detail = CALL_RESPONSE(call, Detail, netscope__v1__get_packet_response__init);
    struct fields *fields = build_part(&call->build, sizeof *fields);
    struct packet packet;
    if (detail == NULL || fields == NULL)
        return;
    CALL_IDENTIFY(call, detail);
    decode_event(event, &packet);
    fields_init(fields);
    fields_of_packet(fields, &packet);
    detail->packet = build_packet(&call->build, call->api, event, &packet);
    build_layers(&call->build, fields, detail);
    fields_done(fields);
    detail->data = build_bytes(&call->build, event);
}

bool packet_get(struct call *call, struct ProtobufCMessage *message)
{
    const Netscope__V1__GetPacketRequest *request = (const Netscope__V1__GetPacketRequest *)message;
    if (!packets_may_be_seen(call))
        return false;
    if (request->id == 0)
        return status_violate(&call->status, "id",
                              "the id of a packet is 1 or more: WatchPackets tells them");
    struct event_reader *reader =
        event_reader_create(packet_sample_log(call->api->sample), EVENTS_DROP, EVENTS_FROM_OLDEST);
    if (reader == NULL)
        return status_set(&call->status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for the packet");
    const struct packet_event *event = find_event(reader, request->id);
    if (event != NULL)
        build_detail(call, event);
    event_reader_destroy(reader);
    return event != NULL ||
           status_set(&call->status, STATUS_NOT_FOUND, "PACKET_NOT_FOUND",
                      "no packet that is kept has the id %" PRIu64 ": the sample grows while it is watched",
                      request->id);
}
