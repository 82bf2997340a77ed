#include "api/method.h"

#include <assert.h>
#include <protobuf-c/protobuf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "aggregate/aggregate.h"
#include "api/call.h"
#include "api/gate.h"
#include "api/packed_flows.h"
#include "api/packet_sample.h"
#include "api/stream_options.h"
#include "api/visibility.h"
#include "base/hash.h"
#include "base/metric.h"
#include "capture/clock.h"
#include "grpc/health/v1/health.pb-c.h"
#include "netscope/v1/alert_service.pb-c.h"
#include "netscope/v1/flow_service.pb-c.h"
#include "netscope/v1/packet.pb-c.h"
#include "netscope/v1/sensor.pb-c.h"
#include "netscope/v1/stats.pb-c.h"

#define ROW(SERVICE, NAME, message)                                                                          \
    .service = "netscope.v1." #SERVICE, .name = #NAME,                                                       \
    .request = &netscope__v1__##message##_request__descriptor,                                               \
    .response = &netscope__v1__##message##_response__descriptor

#define HEALTH(NAME)                                                                                         \
    .service = "grpc.health.v1.Health", .name = #NAME,                                                       \
    .request = &grpc__health__v1__health_check_request__descriptor,                                          \
    .response = &grpc__health__v1__health_check_response__descriptor

const struct method method_table[] = {
    {ROW(SensorService, GetStatus, get_status), .role = ROLE_VIEWER, .handle = sensor_get_status},
    {ROW(SensorService, ListInterfaces, list_interfaces), .role = ROLE_VIEWER,
     .handle = sensor_list_interfaces},
    {ROW(SensorService, GetConfig, get_config), .role = ROLE_VIEWER, .handle = config_get},
    {ROW(SensorService, ApplyConfig, apply_config), .role = ROLE_OPERATOR, .handle = config_apply},
    {ROW(SensorService, StartCapture, start_capture), .role = ROLE_OPERATOR, .handle = sensor_start_capture},
    {ROW(SensorService, StopCapture, stop_capture), .role = ROLE_OPERATOR, .handle = sensor_stop_capture},
    {ROW(FlowService, ListFlows, list_flows), .role = ROLE_VIEWER, .handle = flows_list},
    {ROW(FlowService, GetFlow, get_flow), .role = ROLE_VIEWER, .handle = flow_get},
    {ROW(FlowService, WatchFlows, watch_flows), .role = ROLE_VIEWER, .open = flows_watch},
    {ROW(FlowService, TopFlows, top_flows), .role = ROLE_VIEWER, .handle = flows_top},
    {ROW(FlowService, FilterHints, filter_hints), .role = ROLE_VIEWER, .handle = flows_hint},
    {ROW(AlertService, ListAlerts, list_alerts), .role = ROLE_VIEWER, .handle = alerts_list},
    {ROW(AlertService, GetAlert, get_alert), .role = ROLE_VIEWER, .handle = alert_get},
    {ROW(AlertService, WatchAlerts, watch_alerts), .role = ROLE_VIEWER, .open = alerts_watch},
    {ROW(StatsService, GetStats, get_stats), .role = ROLE_VIEWER, .handle = stats_get},
    {ROW(PacketService, GetPacket, get_packet), .role = ROLE_PACKETS, .handle = packet_get},
    {ROW(PacketService, WatchPackets, watch_packets), .role = ROLE_PACKETS, .open = packets_watch},
    {ROW(PacketService, StreamPcap, stream_pcap), .role = ROLE_PACKETS, .open = packets_pcap},
    {ROW(StatsService, WatchStats, watch_stats), .role = ROLE_VIEWER, .open = stats_watch},
    {HEALTH(Check), .for_anybody = true, .handle = health_check},
    {HEALTH(Watch), .for_anybody = true, .open = health_watch},
};
const unsigned method_count = sizeof method_table / sizeof method_table[0];

static bool is_path_of(const struct method *method, const char *path)
{
    size_t length = strlen(method->service);
    return path[0] == '/' && strncmp(path + 1, method->service, length) == 0 && path[length + 1] == '/' &&
           strcmp(path + length + 2, method->name) == 0;
}

const struct method *method_find(const char *path, struct status *status)
{
    for (unsigned i = 0; i < method_count; i++)
        if (is_path_of(&method_table[i], path))
            return &method_table[i];
    status_set(status, STATUS_UNIMPLEMENTED, "UNKNOWN_METHOD",
               "%.200s is no method of this sensor: GetStatus tells its version, reflection its methods",
               path);
    return NULL;
}

struct api *api_create(const struct api_setup *setup, struct error *error)
{
    struct api *api = calloc(1, sizeof *api);
    if (api == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for the API");
        return NULL;
    }
    const uint8_t *instance = control_instance_id(setup->control);
    const char *node = control_node(setup->control);
    api->control = setup->control;
    api->version = setup->version;
    api->queue_bytes = setup->queue_bytes > 0 ? setup->queue_bytes : STREAM_ALL_QUEUES_BYTES;
    api->start_ns = clock_wall_ns();
    api->node_mark = (uint32_t)hash_bytes(node, strlen(node), 0);
    for (unsigned i = 0; i < INSTANCE_ID_BYTES; i++)
        snprintf(api->instance + 2 * i, 3, "%02x", instance[i]);
    api->sample = packet_sample_create(setup->control);
    api->packed_flows = packed_flows_create();
    bool memory = api->sample != NULL && api->packed_flows != NULL;
    bool chance = seal_key_make(&api->key) &&
                  getrandom(&api->secret, sizeof api->secret, 0) == (ssize_t)sizeof api->secret;
    if (memory && chance && stream_metrics_add(api))
        return api;
    error_set(error, chance ? ERROR_EXHAUSTED : ERROR_UNAVAILABLE, "%s",
              !memory   ? "no memory for the API"
              : !chance ? "the kernel gives no random numbers for the API's tokens"
                        : "no place for the counters of streams");
    api_destroy(api);
    return NULL;
}

void api_set_serving(struct api *api, bool serving)
{
    atomic_store(&api->serving, serving);
}

bool api_is_serving(const struct api *api)
{
    return atomic_load(&api->serving);
}

void api_destroy(struct api *api)
{
    if (api == NULL)
        return;
    metric_registry_remove(control_metrics(api->control), api);
    packet_sample_destroy(api->sample);
    packed_flows_destroy(api->packed_flows);
    free(api);
}

struct ProtobufCMessage *call_response(struct call *call, size_t bytes, void (*init)(void *message))
{
    ProtobufCMessage *response = build_part(&call->build, bytes);
    if (response != NULL)
        init(response);
    call->response = response;
    return response;
}

uint8_t *build_packed(struct build *build, const struct ProtobufCMessage *message, size_t *length)
{
    *length = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = build_part(build, *length + 1);
    if (bytes != NULL)
        protobuf_c_message_pack(message, bytes);
    return bytes;
}

static bool may_call(const struct method *method, const struct caller *caller, struct status *status)
{
    return caller->role >= method->role ||
           status_set(status, STATUS_PERMISSION_DENIED, "ROLE_TOO_LOW",
                      "%s takes the role %s, and %.100s has %s", method->name, role_name(method->role),
                      caller->identity, role_name(caller->role));
}

static ProtobufCMessage *open_request(const struct method *method, const struct request *request,
                                      struct status *status)
{
    if (request->format == REQUEST_JSON)
        return gate_open_json(method->request, (const char *)request->bytes, request->length, status);
    return gate_open(method->request, request->bytes, request->length, status);
}

// Sends what the handler made; what was short of memory is not sent at all.
static void finish(struct call *call, bool good, struct reply *reply)
{
    size_t length = 0;
    uint8_t *bytes = NULL;
    if (good && !call->build.failed)
        bytes = build_packed(&call->build, call->response, &length);
    if (bytes != NULL)
        reply->ops->send(reply, bytes, length);
    else if (good)
        status_set(&call->status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for the answer");
    assert((call->status.code == STATUS_OK) == (bytes != NULL));
    reply->ops->end(reply, &call->status);
}

void method_call(const struct method *method, struct api *api, const struct caller *caller,
                 const struct request *request, struct reply *reply)
{
    struct call call = {
        .api = api, .caller = caller, .limits = limits_narrowing(caller->limits), .status = STATUS_FINE};
    ProtobufCMessage *message = NULL;
    assert(method->handle != NULL);
    build_init(&call.build);
    if (may_call(method, caller, &call.status))
        message = open_request(method, request, &call.status);
    finish(&call, message != NULL && method->handle(&call, message), reply);
    gate_free(message);
    build_done(&call.build);
}

struct stream *method_open(const struct method *method, struct api *api, const struct caller *caller,
                           const struct request *request, struct reply *reply)
{
    struct call call = {
        .api = api, .caller = caller, .limits = limits_narrowing(caller->limits), .status = STATUS_FINE};
    ProtobufCMessage *message = NULL;
    assert(method->open != NULL);
    build_init(&call.build);
    if (may_call(method, caller, &call.status))
        message = open_request(method, request, &call.status);
    struct stream *stream = message != NULL ? method->open(&call, message) : NULL;
    assert((call.status.code == STATUS_OK) == (stream != NULL));
    if (stream == NULL)
        reply->ops->end(reply, &call.status);
    gate_free(message);
    build_done(&call.build);
    return stream;
}
