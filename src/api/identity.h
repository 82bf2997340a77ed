// Who calls, for any transport: bearer tokens and a password from files that may change, names in certificates, users of the
// unix socket.
// Only what a transport verified goes in; what comes out is a caller or a sentence that says what to send.
//
// The order: a bearer token or a password when one is shown (a wrong one is refused, nothing else is tried then); the names of the
// certificate; uid, then gid, of the unix socket by `auth.callers`; then on the socket `auth.socket_role`. On the port who
// shows nothing is refused where tokens, a password or client certificates are configured, and else has `auth.role`.
//
// Any thread. A look costs a SHA-256 and a comparison with every token, in constant time. Owned by the transport's server;
// callers may outlive it.
#pragma once

#include <stdbool.h>

#include "api/caller.h"
#include "base/error.h"
#include "net/peer.h"

struct identities;
struct listener_settings;
struct metric_registry;

// The settings and `node` are borrowed for its life; `section` is theirs ("grpc"): sentences name its keys. Reads the tokens file. NULL with a sentence: file, line,
// what is wrong, what to do.
struct identities *identities_create(const struct listener_settings *settings, const char *section,
                                     const char *node, struct error *error);
void identities_destroy(struct identities *identities); // takes NULL

// Fills the caller, to be released. `authorization` is the header's value, NULL = none. False with UNAUTHENTICATED, or with
// PERMISSION_DENIED for a caller of other nodes. The status comes in as STATUS_FINE.
bool identities_find(struct identities *identities, const struct peer *peer, const char *authorization,
                     struct caller *caller, struct status *status);

// A login that its transport did not let come to a look, for too many had failed: counted with those refused.
void identities_count_slowed(struct identities *identities);

// To be called about once a second by whoever has a thread that may read a file. Cheap while the file is the same (a stat).
// A new file that is wrong leaves the old tokens in force; that is logged once and counted.
void identities_reload(struct identities *identities);

// Rows of the registry: logins refused by listener and reason, files refused; also of those `beside` it (a chain of these
// calls' makes it longer), NULL = none. False when it has no place. Before any of them is destroyed:
// metric_registry_remove(registry, identities).
bool identities_add_metrics(struct identities *identities, struct identities *beside,
                            struct metric_registry *registry);
