// The method table: what the API can be asked, once for all transports. A transport finds the row, hands over the request as
// it came and a reply, and does what the reply is told. Unary calls wait for the run, up to some seconds, so they are made
// on a thread that may; never on one of the run.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/caller.h"
#include "api/status.h"

struct api;
struct control;
struct call;
struct stream;
struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;

// Where answers go: a transport's. send() gets the bytes of a message of the method's response type, borrowed for the
// call; end() comes once, after which the reply is not touched again.
struct reply;
struct reply_ops {
    void (*send)(struct reply *reply, const uint8_t *bytes, size_t length);
    void (*end)(struct reply *reply, const struct status *status);
};
struct reply {
    const struct reply_ops *ops;
};

// Fills call->response. False with call->status.
typedef bool unary_handler(struct call *call, struct ProtobufCMessage *request);
// Opens a stream; what it keeps of the request it copies. NULL with call->status.
typedef struct stream *stream_handler(struct call *call, struct ProtobufCMessage *request);

struct method {
    const char *service, *name; // "netscope.v1.FlowService", "ListFlows"
    const struct ProtobufCMessageDescriptor *request, *response;
    enum role role;        // that it takes
    bool for_anybody;      // whoever he is
    unary_handler *handle; // NULL: server streaming,
    stream_handler *open;  // by this
};

extern const struct method method_table[];
extern const unsigned method_count;

// The row of "/netscope.v1.FlowService/ListFlows"; NULL with UNIMPLEMENTED, whose sentence tells what there is.
const struct method *method_find(const char *path, struct status *status);

// What the handlers need of the process. Borrowed; called right after control_create().
struct api_setup {
    struct control *control;
    const char *version;
    size_t queue_bytes; // that may wait for the clients of all streams; 0 = STREAM_ALL_QUEUES_BYTES
};
struct api *api_create(const struct api_setup *setup, struct error *error);
// What health checks say: false from the start until all is there, and again when the end begins. Any thread.
void api_set_serving(struct api *api, bool serving);
bool api_is_serving(const struct api *api);
void api_destroy(struct api *api); // takes NULL; no call or stream is left

enum request_format { REQUEST_PROTO, REQUEST_JSON };
struct request {
    enum request_format format;
    const uint8_t *bytes;
    size_t length;
};

// The caller is as the transport found out (api/identity.h), borrowed for the call; a stream takes a hold of its own.
// A unary method from beginning to end: role, gate, handler, one message or none, the status.
void method_call(const struct method *method, struct api *api, const struct caller *caller,
                 const struct request *request, struct reply *reply);
// A stream, to be run with stream_step() (api/stream.h), which ends the reply. NULL: the reply was ended.
struct stream *method_open(const struct method *method, struct api *api, const struct caller *caller,
                           const struct request *request, struct reply *reply);
