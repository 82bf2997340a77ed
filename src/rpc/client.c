#include "rpc/client.h"

#include <assert.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "rpc/client_inside.h"

enum { END_MESSAGE_BYTES = 2048 };

// A call waits for three things: that its request is sent and answered, the next message, its end.
enum wait_for { WAIT_START, WAIT_MESSAGE, WAIT_STATUS, WAITS };
struct wait_tag {
    struct client_call *call;
    enum wait_for what;
};

struct client_call {
    struct client_channel *channel;
    const struct client_handler *handler;
    void *owner;
    grpc_call *call;
    struct wait_tag tags[WAITS];
    unsigned waiting; // tags that are in the queue
    grpc_metadata authorization;
    grpc_byte_buffer *request, *message;
    grpc_metadata_array head, trailer;
    grpc_status_code code;
    grpc_slice sentence;
};

// gRPC tells of each failed connection on standard error; ours come with the end of a call. GRPC_VERBOSITY asks for its own.
static void swallow_log(gpr_log_func_args *line)
{
    (void)line;
}

struct client *client_create(const char *user_agent, struct error *error)
{
    struct client *client = calloc(1, sizeof *client);
    char *agent = strdup(user_agent);
    if (client == NULL || agent == NULL) {
        free(client);
        free(agent);
        error_set(error, ERROR_EXHAUSTED, "no memory for a client");
        return NULL;
    }
    // The resolver of the system knows what everything else on this host knows; gRPC's own does not.
    setenv("GRPC_DNS_RESOLVER", "native", 0);
    if (getenv("GRPC_VERBOSITY") == NULL)
        gpr_set_log_function(swallow_log);
    grpc_init();
    client->user_agent = agent;
    client->queue = grpc_completion_queue_create_for_next(NULL);
    return client;
}

void client_destroy(struct client *client)
{
    if (client == NULL)
        return;
    assert(client->channels == 0);
    grpc_completion_queue_shutdown(client->queue);
    while (grpc_completion_queue_next(client->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type !=
           GRPC_QUEUE_SHUTDOWN)
        ;
    grpc_completion_queue_destroy(client->queue);
    grpc_shutdown_blocking();
    free(client->user_agent);
    free(client);
}

static void start_wait(struct client_call *call, enum wait_for what, const grpc_op *ops, size_t count)
{
    call->tags[what] = (struct wait_tag){call, what};
    call->waiting++;
    grpc_call_error failure = grpc_call_start_batch(call->call, ops, count, &call->tags[what], NULL);
    assert(failure == GRPC_CALL_OK);
    (void)failure;
}

static void wait_for_message(struct client_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->message};
    start_wait(call, WAIT_MESSAGE, &op, 1);
}

static void wait_for_status(struct client_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
    op.data.recv_status_on_client.trailing_metadata = &call->trailer;
    op.data.recv_status_on_client.status = &call->code;
    op.data.recv_status_on_client.status_details = &call->sentence;
    start_wait(call, WAIT_STATUS, &op, 1);
}

static void send_request(struct client_call *call)
{
    grpc_op ops[4] = {{.op = GRPC_OP_SEND_INITIAL_METADATA},
                      {.op = GRPC_OP_SEND_MESSAGE},
                      {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
                      {.op = GRPC_OP_RECV_INITIAL_METADATA}};
    if (call->channel->authorization != NULL) {
        call->authorization.key = grpc_slice_from_static_string("authorization");
        call->authorization.value = grpc_slice_from_copied_string(call->channel->authorization);
        ops[0].data.send_initial_metadata.count = 1;
        ops[0].data.send_initial_metadata.metadata = &call->authorization;
    }
    ops[1].data.send_message.send_message = call->request;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &call->head;
    start_wait(call, WAIT_START, ops, 4);
}

static gpr_timespec deadline_after(int64_t wait_ns)
{
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(wait_ns, GPR_TIMESPAN));
}

struct client_call *client_call_start(struct client_channel *channel, const struct client_request *request,
                                      const struct client_handler *handler, void *owner)
{
    struct client_call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return NULL;
    call->channel = channel;
    call->handler = handler;
    call->owner = owner;
    call->authorization.value = grpc_empty_slice();
    call->sentence = grpc_empty_slice();
    grpc_metadata_array_init(&call->head);
    grpc_metadata_array_init(&call->trailer);
    grpc_slice bytes = grpc_slice_from_copied_buffer((const char *)request->bytes, request->length);
    call->request = grpc_raw_byte_buffer_create(&bytes, 1);
    grpc_slice_unref(bytes);
    gpr_timespec deadline =
        request->timeout_ns > 0 ? deadline_after(request->timeout_ns) : gpr_inf_future(GPR_CLOCK_MONOTONIC);
    grpc_slice method = grpc_slice_from_copied_string(request->method);
    call->call = grpc_channel_create_call(channel->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                          channel->client->queue, method, NULL, deadline, NULL);
    grpc_slice_unref(method);
    channel->calls++;
    wait_for_status(call);
    send_request(call);
    wait_for_message(call);
    return call;
}

void client_call_cancel(struct client_call *call)
{
    grpc_call_cancel(call->call, NULL);
}

static void destroy_call(struct client_call *call)
{
    assert(call->waiting == 0);
    grpc_call_unref(call->call);
    grpc_byte_buffer_destroy(call->request);
    if (call->message != NULL)
        grpc_byte_buffer_destroy(call->message);
    grpc_metadata_array_destroy(&call->head);
    grpc_metadata_array_destroy(&call->trailer);
    grpc_slice_unref(call->authorization.value);
    grpc_slice_unref(call->sentence);
    free(call);
}

// The text of a slice, terminated and cut where it is too long.
static void copy_slice(char *into, size_t room, grpc_slice slice)
{
    size_t length = GRPC_SLICE_LENGTH(slice);
    length = length < room ? length : room - 1;
    memcpy(into, GRPC_SLICE_START_PTR(slice), length);
    into[length] = '\0';
}

static void end_call(struct client_call *call)
{
    char message[END_MESSAGE_BYTES];
    struct client_end end = {.code = STATUS_UNKNOWN, .message = message};
    if (call->code >= 0 && (unsigned)call->code < STATUS_CODES)
        end.code = (enum status_code)call->code;
    copy_slice(message, sizeof message, call->sentence);
    for (size_t i = 0; i < call->trailer.count; i++) {
        const grpc_metadata *field = &call->trailer.metadata[i];
        if (grpc_slice_str_cmp(field->key, "grpc-status-details-bin") != 0)
            continue;
        end.details = GRPC_SLICE_START_PTR(field->value);
        end.details_bytes = GRPC_SLICE_LENGTH(field->value);
    }
    assert(call->channel->calls > 0);
    call->channel->calls--; // the handler may close it
    call->handler->end(call->owner, &end);
    destroy_call(call);
}

// False: there is none, the call ends.
static bool hand_out_message(struct client_call *call)
{
    grpc_byte_buffer_reader reader;
    grpc_byte_buffer *message = call->message;
    call->message = NULL;
    if (message == NULL)
        return false;
    if (grpc_byte_buffer_reader_init(&reader, message)) {
        grpc_slice bytes = grpc_byte_buffer_reader_readall(&reader);
        call->handler->message(call->owner, GRPC_SLICE_START_PTR(bytes), GRPC_SLICE_LENGTH(bytes));
        grpc_slice_unref(bytes);
        grpc_byte_buffer_reader_destroy(&reader);
    }
    grpc_byte_buffer_destroy(message);
    return true;
}

static void hand_out(const struct wait_tag *tag)
{
    struct client_call *call = tag->call;
    assert(call->waiting > 0 && tag == &call->tags[tag->what]);
    call->waiting--;
    if (tag->what == WAIT_MESSAGE && hand_out_message(call))
        wait_for_message(call);
    if (call->waiting == 0)
        end_call(call);
}

bool client_wait(struct client *client, int64_t wait_ns)
{
    grpc_event event = grpc_completion_queue_next(client->queue, deadline_after(wait_ns), NULL);
    if (event.type != GRPC_OP_COMPLETE)
        return false;
    hand_out(event.tag);
    return true;
}
