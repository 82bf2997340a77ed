// What the files that hold handlers share: a call under way, and what requests and responses have in common. For these only.
#pragma once

#include <stdatomic.h>

#include "api/build.h"
#include "api/method.h"
#include "api/stream.h"
#include "base/seal.h"
#include "control/control.h"

enum { API_REVISION = 2, INSTANCE_TEXT_BYTES = 33 };

struct bell;
struct packed_flows;
struct packet_sample;

// Of the streams of a kind, for the metrics.
struct stream_counts {
    atomic_uint open;
    _Atomic uint64_t dropped[STREAM_POLICIES];
};

struct api {
    struct control *control;
    const char *version;
    char instance[INSTANCE_TEXT_BYTES]; // of this start, in hex
    int64_t start_ns;                   // wall time
    struct seal_key key;                // of page tokens and cursors
    uint64_t secret;                    // of their checks
    size_t queue_bytes;                 // of all streams
    uint32_t node_mark;                 // a hash of the node's name
    atomic_bool serving;
    atomic_uint streams; // that are open
    struct stream_counts stream_counts[STREAM_KINDS];
    struct bell *bell; // of the thread that steps them; NULL = who steps them looks for himself
    struct packed_flows *packed_flows; // of that thread
    struct packet_sample *sample;
    atomic_uint pcap_streams; // of these, captures
};

// Lives as long as its handler runs.
struct call {
    struct api *api;
    const struct caller *caller;
    const struct limits *limits; // of what he sees of this sensor; NULL = he sees everything
    struct build build;          // of the response
    struct status status;
    const struct ProtobufCMessage *response;
};

// A response's first two fields, in any message that has them.
#define CALL_IDENTIFY(call, message)                                                                         \
    ((message)->node = build_text(&(call)->build, control_node((call)->api->control)),                       \
     (message)->instance_id = (call)->api->instance)

// A response of the type: `init` is protobuf-c's. NULL without memory, which method_call() tells.
#define CALL_RESPONSE(call, Type, init)                                                                      \
    ((Type *)call_response((call), sizeof(Type), (void (*)(void *))(init)))
struct ProtobufCMessage *call_response(struct call *call, size_t bytes, void (*init)(void *message));
// The bytes of a message; owned by the build. NULL without memory.
uint8_t *build_packed(struct build *build, const struct ProtobufCMessage *message, size_t *length);

// stream_metrics.c: until metric_registry_remove(). False when the registry has no place.
bool stream_metrics_add(struct api *api);

// The handlers, by the file that holds them. sensor_service.c:
unary_handler sensor_get_status, sensor_list_interfaces, sensor_start_capture, sensor_stop_capture;
// config_service.c:
unary_handler config_get, config_apply;
// flow_service.c:
unary_handler flows_list, flow_get, flows_top;
bool flows_ask(struct call *call, const struct flow_query *query,
               struct flow_page **page); // the page is the call's
// filter_hints.c:
unary_handler flows_hint;
// alert_service.c:
unary_handler alerts_list, alert_get;
// pcap_stream.c:
stream_handler packets_pcap;
// packet_service.c:
unary_handler packet_get;
stream_handler packets_watch;
// stats_service.c:
unary_handler stats_get;
stream_handler stats_watch;
// health_service.c:
unary_handler health_check;
stream_handler health_watch;
// watch.c:
stream_handler flows_watch, alerts_watch;
