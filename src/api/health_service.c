// grpc.health.v1.Health: whether the API serves, of all of it ("") or of a service by its name. Told to anybody.
#include <string.h>

#include "api/call.h"
#include "api/stream.h"
#include "base/time.h"
#include "grpc/health/v1/health.pb-c.h"

typedef Grpc__Health__V1__HealthCheckRequest Request;
typedef Grpc__Health__V1__HealthCheckResponse Response;
typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus Serving;

#define SERVING(name) GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__##name

static bool is_service(const char *name)
{
    bool known = name[0] == '\0';
    for (unsigned i = 0; i < method_count; i++)
        known |= strcmp(name, method_table[i].service) == 0;
    return known;
}

static Serving serving_of(const struct api *api, bool known)
{
    return !known                       ? SERVING(SERVICE_UNKNOWN)
           : atomic_load(&api->serving) ? SERVING(SERVING)
                                        : SERVING(NOT_SERVING);
}

bool health_check(struct call *call, struct ProtobufCMessage *message)
{
    const char *service = ((Request *)message)->service;
    if (!is_service(service))
        return status_set(&call->status, STATUS_NOT_FOUND, "NO_SUCH_SERVICE", "there is no service %.100s",
                          service);
    Response *response = CALL_RESPONSE(call, Response, grpc__health__v1__health_check_response__init);
    if (response != NULL)
        response->status = serving_of(call->api, true);
    return true;
}

struct health_stream {
    struct stream stream; // first
    bool known, has_told;
    Serving told;
    int64_t due_ns;
};

static enum stream_state step(struct stream *any, int64_t now_ns, bool ready, struct reply *reply)
{
    enum { LOOK_MS = 100 };
    struct health_stream *stream = (struct health_stream *)any;
    Serving serving = serving_of(any->api, stream->known);
    Response response;
    uint8_t bytes[16];
    stream->due_ns = now_ns + LOOK_MS * NS_PER_MS;
    if (!ready || (stream->has_told && serving == stream->told))
        return STREAM_WAITS;
    grpc__health__v1__health_check_response__init(&response);
    response.status = serving;
    reply->ops->send(reply, bytes, grpc__health__v1__health_check_response__pack(&response, bytes));
    stream->told = serving;
    stream->has_told = true;
    return STREAM_GOES_ON;
}

static int64_t due_ns(const struct stream *any)
{
    return ((const struct health_stream *)any)->due_ns;
}

static void done(struct stream *any)
{
    (void)any;
}

struct stream *health_watch(struct call *call, struct ProtobufCMessage *message)
{
    static const struct stream_ops ops = {step, due_ns, done};
    struct health_stream *stream = stream_create(call, STREAM_OF_HEALTH, &ops, sizeof *stream);
    if (stream == NULL)
        return NULL;
    stream->known = is_service(((Request *)message)->service);
    return &stream->stream;
}
