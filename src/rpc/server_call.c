#include "rpc/server_call.h"

#include <assert.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/support/alloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/identity.h"
#include "api/runner.h"
#include "base/strbuf.h"
#include "door/door.h"
#include "rpc/reflection.h"

// From the wait for a call to its last event. It lives while somebody holds it: each operation that the core has under way,
// and the runner until the reply was ended. Accepting and receiving are the queue's thread; sending and ending the runner's.
// `gone`: nobody waits for it any more.
struct server_call {
    struct runner_call asked;
    struct reply reply;
    struct rpc_server *server;
    struct open_call open;
    grpc_call *core;
    grpc_call_details details;
    grpc_metadata_array metadata;
    grpc_byte_buffer *payload; // received and not opened
    grpc_slice request;        // the request's bytes
    grpc_byte_buffer *answer;  // of a unary call: goes with the status
    struct caller caller;
    bool has_caller, begun, greeted, reflects, gone;
    int cancelled;
    atomic_uint holders;
    struct call_event accepted, received, sent, ended, closed;
};

enum { METHOD_BYTES = 256, HEADER_BYTES = 4096, STATUS_BYTES = 8192, REFLECTION_BYTES = 1 << 20 };

// Life.

static void release(struct server_call *call)
{
    if (atomic_fetch_sub(&call->holders, 1) > 1)
        return;
    struct rpc_server *server = call->server;
    if (call->core != NULL) { // it was accepted
        open_calls_remove(&server->open, &call->open);
        grpc_call_unref(call->core);
    }
    if (call->payload != NULL)
        grpc_byte_buffer_destroy(call->payload);
    if (call->answer != NULL)
        grpc_byte_buffer_destroy(call->answer);
    if (call->has_caller)
        caller_release(&call->caller);
    grpc_slice_unref(call->request);
    grpc_call_details_destroy(&call->details);
    grpc_metadata_array_destroy(&call->metadata);
    free(call);
    atomic_fetch_sub(&server->calls, 1);
}

static void hold(struct server_call *call)
{
    atomic_fetch_add(&call->holders, 1);
}

// Takes a hold, which the event's function gives back: whoever has none left must not touch the call any more. Whatever the
// core refuses here is a mistake of ours.
static void start(struct server_call *call, const grpc_op *operations, size_t count, struct call_event *event)
{
    atomic_fetch_add(&event->started, 1);
    grpc_call_error error = grpc_call_start_batch(call->core, operations, count, event, NULL);
    assert(error == GRPC_CALL_OK);
    (void)error;
}

static void receive(struct server_call *call)
{
    grpc_op operation = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->payload};
    hold(call);
    start(call, &operation, 1, &call->received);
}

// Sending.

// A question of reflection is taken when the answer to the one before is on its way: one write in flight.
static void on_sent(void *owner, bool good)
{
    struct server_call *call = owner;
    if (good && call->begun)
        runner_ready(call->server->runner, &call->asked);
    else if (call->reflects)
        receive(call);
    release(call);
}

static void on_ended(void *owner, bool good)
{
    struct server_call *call = owner;
    (void)good;
    release(call);
}

static size_t add_greeting(struct server_call *call, grpc_op *operation)
{
    if (call->greeted)
        return 0;
    call->greeted = true;
    *operation = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
    return 1;
}

static grpc_byte_buffer *buffer_of(const void *bytes, size_t length)
{
    grpc_slice slice = grpc_slice_from_copied_buffer(bytes, length);
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return buffer;
}

static void send_message(struct server_call *call, const void *bytes, size_t length)
{
    grpc_op operations[2];
    size_t count = add_greeting(call, operations);
    grpc_byte_buffer *message = buffer_of(bytes, length);
    operations[count] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE};
    operations[count++].data.send_message.send_message = message;
    hold(call);
    start(call, operations, count, &call->sent);
    grpc_byte_buffer_destroy(message); // the core has its own
}

// The answer of a unary call goes out together with its status.
static void reply_send(struct reply *reply, const uint8_t *bytes, size_t length)
{
    struct server_call *call = (struct server_call *)((char *)reply - offsetof(struct server_call, reply));
    if (call->asked.method->handle != NULL)
        call->answer = buffer_of(bytes, length);
    else
        send_message(call, bytes, length);
}

static grpc_slice pack_details(const struct status *status)
{
    struct strbuf details;
    strbuf_init(&details, STATUS_BYTES);
    bool good = status->code != STATUS_OK && status_pack(status, &details);
    grpc_slice slice =
        good ? grpc_slice_from_copied_buffer(details.text, details.length) : grpc_empty_slice();
    strbuf_done(&details);
    return slice;
}

// Takes a hold: nothing is done with the call after it but what its events do.
static void send_status(struct server_call *call, const struct status *status)
{
    grpc_op operations[3];
    size_t count = add_greeting(call, operations);
    if (call->answer != NULL && status->code == STATUS_OK) {
        operations[count] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE};
        operations[count++].data.send_message.send_message = call->answer;
    }
    grpc_slice message = grpc_slice_from_copied_string(status->message), details = pack_details(status);
    grpc_metadata trailer = {.key = grpc_slice_from_static_string("grpc-status-details-bin"),
                             .value = details};
    grpc_op *last = &operations[count++];
    *last = (grpc_op){.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
    last->data.send_status_from_server.status = (grpc_status_code)status->code;
    last->data.send_status_from_server.status_details = status->message[0] != '\0' ? &message : NULL;
    last->data.send_status_from_server.trailing_metadata_count = GRPC_SLICE_LENGTH(details) > 0;
    last->data.send_status_from_server.trailing_metadata = &trailer;
    start(call, operations, count, &call->ended);
    grpc_slice_unref(message);
    grpc_slice_unref(details);
}

// The runner's last word.
static void reply_end(struct reply *reply, const struct status *status)
{
    struct server_call *call = (struct server_call *)((char *)reply - offsetof(struct server_call, reply));
    size_t bytes = call->answer != NULL ? grpc_byte_buffer_length(call->answer) : 0;
    open_calls_let_go(&call->server->open, &call->open, bytes);
    hold(call); // until this thread has left the core
    send_status(call, status);
    release(call);
}

static const struct reply_ops reply_ops = {reply_send, reply_end};

// Receiving.

static bool open_payload(struct server_call *call)
{
    grpc_byte_buffer_reader reader;
    if (call->payload == NULL || !grpc_byte_buffer_reader_init(&reader, call->payload))
        return false;
    grpc_slice_unref(call->request);
    call->request = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    grpc_byte_buffer_destroy(call->payload);
    call->payload = NULL;
    return true;
}

// An end that is not the runner's.
static void end_call(struct server_call *call, const struct status *status)
{
    hold(call);
    send_status(call, status);
}

static void answer_reflection(struct server_call *call)
{
    struct strbuf answer;
    struct status status = STATUS_FINE;
    strbuf_init(&answer, REFLECTION_BYTES);
    if (reflection_answer(call->server->reflection, GRPC_SLICE_START_PTR(call->request),
                          GRPC_SLICE_LENGTH(call->request), &answer, &status))
        send_message(call, answer.text, answer.length);
    else
        end_call(call, &status);
    strbuf_done(&answer);
}

static void begin(struct server_call *call)
{
    call->asked.request = (struct request){.format = REQUEST_PROTO,
                                           .bytes = GRPC_SLICE_START_PTR(call->request),
                                           .length = GRPC_SLICE_LENGTH(call->request)};
    call->asked.caller = &call->caller;
    call->asked.reply = &call->reply;
    call->begun = true;
    open_calls_work(&call->server->open, &call->open);
    hold(call); // the runner's, until it ends the reply
    runner_begin(call->server->runner, &call->asked);
}

static void on_received(void *owner, bool good)
{
    struct server_call *call = owner;
    struct status status = STATUS_FINE;
    bool opened = good && !call->gone && open_payload(call);
    if (opened && call->reflects) {
        answer_reflection(call);
    } else if (opened) {
        begin(call);
    } else {
        if (!call->reflects)
            status_set(&status, STATUS_INVALID_ARGUMENT, "NO_REQUEST", "the call ended without a request");
        end_call(call, &status);
    }
    release(call);
}

static void on_closed(void *owner, bool good)
{
    struct server_call *call = owner;
    (void)good;
    call->gone = call->cancelled != 0;
    if (call->gone && call->begun)
        runner_cancel(call->server->runner, &call->asked);
    release(call);
}

// Who calls, and what.

static bool is_key(const grpc_metadata *entry, const char *key)
{
    return grpc_slice_str_cmp(entry->key, key) == 0;
}

// The header's value; false when it is longer than any token.
static bool read_authorization(const struct server_call *call, char into[HEADER_BYTES], bool *given)
{
    *given = false;
    for (size_t i = 0; i < call->metadata.count; i++) {
        const grpc_metadata *entry = &call->metadata.metadata[i];
        size_t length = GRPC_SLICE_LENGTH(entry->value);
        if (!is_key(entry, "authorization"))
            continue;
        if (*given || length >= HEADER_BYTES)
            return false;
        memcpy(into, GRPC_SLICE_START_PTR(entry->value), length);
        into[length] = '\0';
        *given = true;
    }
    return true;
}

// The core names a connection that it was given by its descriptor.
static bool find_peer(struct server_call *call, struct peer *peer)
{
    char *text = grpc_call_get_peer(call->core);
    int descriptor;
    bool good = sscanf(text, "fd:%d", &descriptor) == 1 && door_peer(call->server->door, descriptor, peer);
    gpr_free(text);
    return good;
}

static bool identify(struct server_call *call, struct status *status)
{
    char authorization[HEADER_BYTES];
    struct peer peer;
    bool given;
    if (!find_peer(call, &peer))
        return status_set(status, STATUS_INTERNAL, "INTERNAL", "the connection is not known");
    if (!read_authorization(call, authorization, &given))
        return status_set(status, STATUS_UNAUTHENTICATED, "BAD_CREDENTIALS",
                          "the authorization header is given twice, or is too long");
    call->has_caller =
        identities_find(call->server->identities, &peer, given ? authorization : NULL, &call->caller, status);
    return call->has_caller;
}

static bool is_reflection(const char *path)
{
    return strcmp(path, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo") == 0 ||
           strcmp(path, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo") == 0;
}

static bool find_method(struct server_call *call, struct status *status)
{
    char path[METHOD_BYTES];
    size_t length = GRPC_SLICE_LENGTH(call->details.method);
    if (length >= sizeof path)
        return status_set(status, STATUS_UNIMPLEMENTED, "UNKNOWN_METHOD", "no method has so long a name");
    memcpy(path, GRPC_SLICE_START_PTR(call->details.method), length);
    path[length] = '\0';
    call->reflects = is_reflection(path);
    if (call->reflects)
        return identify(call, status);
    call->asked.method = method_find(path, status);
    if (call->asked.method == NULL)
        return false;
    if (!call->asked.method->for_anybody)
        return identify(call, status);
    call->caller = (struct caller){.identity = "anybody", .role = ROLE_VIEWER};
    return true;
}

void server_call_give_up(struct open_call *open)
{
    struct server_call *call = (struct server_call *)((char *)open - offsetof(struct server_call, open));
    grpc_call_cancel_with_status(call->core, GRPC_STATUS_RESOURCE_EXHAUSTED,
                                 "too many calls wait for their clients: this one waited longest", NULL);
}

static void on_accepted(void *owner, bool good)
{
    struct server_call *call = owner;
    struct status status = STATUS_FINE;
    grpc_op closing = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                       .data.recv_close_on_server.cancelled = &call->cancelled};
    if (!good) { // the server ends
        release(call);
        return;
    }
    server_call_await(call->server);
    open_calls_add(&call->server->open, &call->open);
    hold(call);
    start(call, &closing, 1, &call->closed);
    if (find_method(call, &status))
        receive(call);
    else
        end_call(call, &status);
    release(call);
}

bool server_call_await(struct rpc_server *server)
{
    struct server_call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return false;
    call->server = server;
    call->reply.ops = &reply_ops;
    call->request = grpc_empty_slice();
    atomic_init(&call->holders, 1);
    call->accepted = (struct call_event){.done = on_accepted, .owner = call};
    call->received = (struct call_event){.done = on_received, .owner = call};
    call->sent = (struct call_event){.done = on_sent, .owner = call};
    call->ended = (struct call_event){.done = on_ended, .owner = call};
    call->closed = (struct call_event){.done = on_closed, .owner = call};
    grpc_call_details_init(&call->details);
    grpc_metadata_array_init(&call->metadata);
    atomic_fetch_add(&server->calls, 1);
    grpc_call_error error =
        grpc_server_request_call(server->core, &call->core, &call->details, &call->metadata, server->queue,
                                 server->queue, &call->accepted);
    assert(error == GRPC_CALL_OK);
    (void)error;
    return true;
}
