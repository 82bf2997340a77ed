#include "rpc/server.h"

#include <assert.h>
#include <grpc/grpc.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <grpc/support/log.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/gate.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/thread.h"
#include "rpc/reflection.h"
#include "rpc/server_call.h"

enum {
    CALLS_AWAITED = 64, // at a time: what nobody waits for piles up in the core, 13 kB a call
    MESSAGE_ROOM = 1024,
    METADATA_BYTES = 16384,
    STREAMS_A_CONNECTION = 200,
    PING_INTERVAL_MS = 5000, // clients may ping as often, with and without calls
    KEEPALIVE_MS = 30000,
    KEEPALIVE_TIMEOUT_MS = 20000,
    LOOK_MS = 10,
};

// What the core says of itself is for who debugs it, but for its last word.
static void log_core(gpr_log_func_args *told)
{
    if (strncmp(told->message, "assertion failed", strlen("assertion failed")) == 0)
        log_error("grpc", "%s:%d: %s", told->file, told->line, told->message);
    else
        log_debug("grpc", "%s", told->message);
}

static grpc_arg number(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

static grpc_server *create_core(uint64_t memory_bytes)
{
    grpc_resource_quota *quota = grpc_resource_quota_create("api");
    grpc_resource_quota_resize(quota, memory_bytes);
    grpc_arg arguments[] = {
        number(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, GATE_BYTES + MESSAGE_ROOM),
        number(GRPC_ARG_MAX_METADATA_SIZE, METADATA_BYTES),
        number(GRPC_ARG_MAX_CONCURRENT_STREAMS, STREAMS_A_CONNECTION),
        number(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, PING_INTERVAL_MS),
        number(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        number(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_MS),
        number(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS),
        number(GRPC_ARG_ENABLE_CHANNELZ, 0),
        number(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1 << GRPC_COMPRESS_NONE),
        {.type = GRPC_ARG_POINTER,
         .key = (char *)(uintptr_t)GRPC_ARG_RESOURCE_QUOTA,
         .value.pointer = {quota, grpc_resource_quota_arg_vtable()}},
    };
    grpc_channel_args list = {.num_args = sizeof arguments / sizeof arguments[0], .args = arguments};
    grpc_server *core = grpc_server_create(&list, NULL);
    grpc_resource_quota_unref(quota);
    return core;
}

// The queue's thread: each event says itself how it goes on.
static void *run_queue(void *argument)
{
    struct rpc_server *server = argument;
    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(server->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        assert(event.type == GRPC_OP_COMPLETE);
        struct call_event *done = event.tag;
        atomic_load(&done->started);
        done->done(done->owner, event.success != 0);
    }
}

// The core's threads are none of those that take signals.
static void init_core(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    gpr_set_log_function(log_core);
    grpc_init();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void read_given_up(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    struct rpc_server *server = (struct rpc_server *)(uintptr_t)held;
    metric_whole(metric, reader, open_calls_given_up(&server->open));
}

// clang-format off
static const struct metric rows[] = {
    {"netscope_api_calls_given_up_total", METRIC_COUNTER, NULL,
     "Calls that waited longest for their clients when too many did.", {0}, read_given_up},
};
// clang-format on

static bool add_metrics(struct rpc_server *server)
{
    struct metric_group group = {rows, sizeof rows / sizeof rows[0], server, metric_hold_owner,
                                 metric_release_owner};
    return metric_registry_add(server->metrics, &group);
}

struct rpc_server *rpc_server_create(const struct rpc_setup *setup, struct error *error)
{
    struct rpc_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for the gRPC server");
        return NULL;
    }
    init_core();
    server->runner = setup->runner;
    server->door = setup->door;
    server->identities = setup->identities;
    server->metrics = setup->metrics;
    open_calls_init(&server->open, setup->memory_bytes, server_call_give_up);
    server->reflection = reflection_create();
    server->credentials = grpc_insecure_server_credentials_create(); // the door has TLS
    server->queue = grpc_completion_queue_create_for_next(NULL);
    server->core = create_core(setup->memory_bytes);
    grpc_server_register_completion_queue(server->core, server->queue, NULL);
    grpc_server_start(server->core);
    server->started = thread_start(&server->thread, run_queue, server);
    for (unsigned i = 0; server->started && i < CALLS_AWAITED; i++)
        server_call_await(server);
    if (server->reflection != NULL && server->started && atomic_load(&server->calls) > 0 &&
        add_metrics(server))
        return server;
    error_set(error, ERROR_EXHAUSTED, "the gRPC server cannot start: %s",
              server->started ? "no memory" : thread_shortage());
    rpc_server_destroy(server, 0);
    return NULL;
}

void rpc_server_take(void *server, int take_descriptor)
{
    struct rpc_server *own = server;
    grpc_server_add_channel_from_fd(own->core, take_descriptor, own->credentials);
}

// The end of the core, as an event of the queue.
struct end {
    struct call_event event;
    atomic_bool is_over;
};

static void on_end(void *owner, bool good)
{
    struct end *end = owner;
    (void)good;
    atomic_store(&end->is_over, true);
}

// The grace is for calls. Connections without any are cut when the last one is over: who has them open, and does not look
// at them (grpcio does every 5 s), does not hold up the end. The core is over when its connections are, which may leave
// before the runner has answered their calls: the queue is needed until all calls are gone.
static void await_end(struct rpc_server *server, struct end *end, int grace_ms)
{
    for (int left_ms = grace_ms; left_ms > 0 && atomic_load(&server->calls) > 0; left_ms -= LOOK_MS)
        usleep(LOOK_MS * 1000);
    if (!atomic_load(&end->is_over))
        grpc_server_cancel_all_calls(server->core);
    while (!atomic_load(&end->is_over) || atomic_load(&server->calls) > 0)
        usleep(LOOK_MS * 1000);
}

// The order is the core's: shutting down, what outlives the grace is cancelled, the queue ends last.
static void end_core(struct rpc_server *server, int grace_ms)
{
    struct end end = {.event = {.done = on_end, .owner = &end}};
    atomic_fetch_add(&end.event.started, 1);
    grpc_server_shutdown_and_notify(server->core, server->queue, &end.event);
    if (server->started)
        await_end(server, &end, grace_ms);
    grpc_completion_queue_shutdown(server->queue);
    if (server->started)
        pthread_join(server->thread, NULL);
    else
        run_queue(server);
    assert(atomic_load(&end.is_over));
}

void rpc_server_destroy(struct rpc_server *server, int grace_ms)
{
    if (server == NULL)
        return;
    metric_registry_remove(server->metrics, server);
    end_core(server, grace_ms);
    assert(atomic_load(&server->calls) == 0);
    grpc_server_destroy(server->core);
    grpc_completion_queue_destroy(server->queue);
    grpc_server_credentials_release(server->credentials);
    reflection_destroy(server->reflection);
    open_calls_done(&server->open);
    free(server);
    grpc_shutdown_blocking();
}
