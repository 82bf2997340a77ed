// The gRPC server: serves the method table over the C core of gRPC, on connections that the door hands over. One thread
// takes what the core tells; calls are answered on the runner's threads. One write is in flight a call.
//
// From rpc_server_create() to rpc_server_destroy() the process must not fork (the core cannot).
#pragma once

#include <stdint.h>

#include "base/error.h"

struct api;
struct door;
struct identities;
struct metric_registry;
struct runner;
struct rpc_server;

// Borrowed, until the server is gone.
struct rpc_setup {
    struct runner *runner;
    struct door *door; // tells who is at the other end of a connection
    struct identities *identities;
    struct metric_registry *metrics;
    uint64_t
        memory_bytes; // that the core may take for what it reads, and as much for what clients do not read
};

// Begins to serve. NULL with a sentence.
struct rpc_server *rpc_server_create(const struct rpc_setup *setup, struct error *error);

// A connection, non-blocking and in plain text; taken whatever comes of it. Any thread (door_listener.take).
void rpc_server_take(void *server, int take_descriptor);

// In order: no new calls (the runner was told to drain before), those under way get `grace_ms` to end and are cancelled then,
// connections are cut, everything is freed. Takes NULL. No connection may come any more.
void rpc_server_destroy(struct rpc_server *server, int grace_ms);
