// How sensors are reached and who asks, from the command line and the environment. Owns copies of its texts. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "rpc/client.h"

struct invocation;

enum { CONNECTION_ADDRESSES = 256, CONNECTION_PORT = 9871 };
#define CONNECTION_SOCKET "/run/netscope/netscope.sock"

struct connection {
    char *addresses[CONNECTION_ADDRESSES]; // "host:port", "unix:///path", "dns:///name:port"
    unsigned count;
    bool uses_kube;                        // the pods of a cluster, too
    const char *kube_namespace, *selector; // of them; NULL = as they are usually
    bool uses_tls;
    struct client_tls tls; // borrows from command line and environment
    char *token;           // NULL = none
    bool insecure_token;
    int64_t timeout_ns;
};

// False with a sentence: an address that is none, a token file that cannot be read.
bool connection_read(struct connection *into, const struct invocation *given, struct error *error);
void connection_done(struct connection *connection);

// The address in full: "host" gets the port, "unix:path" its slashes. NULL with a sentence; else the caller's to free.
char *address_complete(const char *written, struct error *error);
// Whether what is sent there stays on this host.
bool address_is_local(const char *address);
