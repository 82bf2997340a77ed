// A call of the gRPC server, from the wait for it to its last event. Within rpc/ only.
//
// It lives while somebody holds it: each operation that the core has under way, and the runner until the reply was ended.
// Accepting and receiving are the queue's thread; sending and ending the runner's.
#pragma once

#include <grpc/grpc.h>

#include "api/identity.h"
#include "api/runner.h"
#include "base/strbuf.h"
#include "rpc/server.h"

struct reflection;

// What the core gives back when an operation is done: the function that goes on, on the queue's thread.
struct call_event {
    void (*done)(void *owner, bool good);
    void *owner;
};

struct rpc_server {
    struct runner *runner;
    struct door *door;
    struct identities *identities;
    struct reflection *reflection;
    grpc_server *core;
    grpc_completion_queue *queue;
    grpc_server_credentials *credentials;
    atomic_uint calls;
    pthread_t thread;
    bool started;
};

struct server_call {
    struct runner_call asked;
    struct reply reply;
    struct rpc_server *server;
    grpc_call *core;
    grpc_call_details details;
    grpc_metadata_array metadata;
    grpc_byte_buffer *payload; // received and not opened
    grpc_slice request;        // the request's bytes
    grpc_byte_buffer *answer;  // of a unary call: goes with the status
    struct caller caller;
    bool has_caller, begun, greeted, reflects;
    int cancelled;
    atomic_uint holders;
    struct call_event accepted, received, sent, ended, closed;
};

// Waits for the next call. Without memory there is one place less; false then.
bool server_call_await(struct rpc_server *server);
