// What the files of the gRPC server share: the server, what the core gives back, and the calls. Within rpc/ only.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "rpc/open_calls.h"

struct door;
struct grpc_completion_queue;
struct grpc_server;
struct grpc_server_credentials;
struct identities;
struct metric_registry;
struct reflection;
struct runner;

// What the core gives back when an operation is done: the function that goes on, on the queue's thread.
struct call_event {
    void (*done)(void *owner, bool good);
    void *owner;
    atomic_uint started; // what happened before the operation was started happened before it is done, visibly
};

struct rpc_server {
    struct runner *runner;
    struct door *door;
    struct identities *identities;
    struct reflection *reflection;
    struct grpc_server *core;
    struct grpc_completion_queue *queue;
    struct grpc_server_credentials *credentials;
    struct metric_registry *metrics;
    atomic_uint calls;
    struct open_calls open; // of them, those that were accepted
    pthread_t thread;
    bool started;
};

// Waits for the next call. Without memory there is one place less; false then.
bool server_call_await(struct rpc_server *server);
// Ends it with RESOURCE_EXHAUSTED, soon; any thread.
void server_call_give_up(struct open_call *open);
