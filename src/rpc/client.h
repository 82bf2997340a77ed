// The client's half of gRPC: connections to servers and calls of their methods, all on one queue that one thread waits at.
// Unary and streaming calls are the same here: messages, then the end. The thread that calls client_wait() is the one that
// handlers run on, and the only one that may call any of this. A handler that waits (for whoever reads its output) makes
// the server wait, too: nothing is read ahead of it but what HTTP/2's window holds.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/status.h"
#include "base/error.h"

struct client;
struct client_channel;
struct client_call;

// NULL with a sentence. Starts gRPC's threads: nothing may fork after it (posix_spawn may).
struct client *client_create(const char *user_agent, struct error *error);
void client_destroy(struct client *client); // after its channels; takes NULL
// Hands out what came, waiting up to `wait_ns` for the first of it. False when that time has passed.
bool client_wait(struct client *client, int64_t wait_ns);

// How a server is spoken to. Everything is borrowed for the call that opens the channel.
struct client_tls {
    const char *ca_file; // PEM; NULL = what the system trusts
    const char *cert_file, *key_file;
    const char *server_name; // that its certificate must have; NULL = the host of the address
};
struct client_target {
    const char *address;          // "host:port", "unix:///path", or a name when there is a descriptor
    int take_descriptor;          // a connected stream socket to speak over; -1 = connect to the address
    const struct client_tls *tls; // NULL = none
    const char *token;            // "" or NULL = none
};
// Connects with the first call. NULL with a sentence: a file that cannot be read, a token that no header can carry.
struct client_channel *client_channel_open(struct client *client, const struct client_target *target,
                                           struct error *error);
void client_channel_close(struct client_channel *channel); // after its calls; takes NULL

// How a call ended, borrowed by the handler.
struct client_end {
    enum status_code code;
    const char *message;
    const uint8_t *details; // google.rpc.Status, as it came; checked by nobody
    size_t details_bytes;
};

struct client_handler {
    void (*message)(void *owner, const uint8_t *bytes, size_t length);
    // Comes once; the call is gone after it. The channel may be closed here when this was its last call.
    void (*end)(void *owner, const struct client_end *end);
};

struct client_request {
    const char *method; // "/netscope.v1.FlowService/ListFlows"
    const uint8_t *bytes;
    size_t length;
    int64_t timeout_ns; // 0 = none
};

// What is wrong comes as an end. NULL without memory.
struct client_call *client_call_start(struct client_channel *channel, const struct client_request *request,
                                      const struct client_handler *handler, void *owner);
// The end comes soon, with CANCELLED unless another one was first.
void client_call_cancel(struct client_call *call);
