// The sensors that a command speaks to: one or several, each with a connection of its own, all waited for on one thread.
// Sensors may join and leave while a command runs. Owned by the command.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ctl/child.h"
#include "ctl/connection.h"
#include "ctl/finder.h"
#include "ctl/pods.h"
#include "ctl/source.h"
#include "rpc/client.h"

struct server {
    char *label;    // what people call it
    char *address;  // what it is reached by: "host:port", "unix:///path", "pod:NAMESPACE/NAME"
    char *tls_name; // that its certificate has; NULL = as the address says
    struct client_channel *channel; // NULL = none is open
    struct child child;             // what joins it to a pod
    unsigned index;                 // in the order in which they came
    unsigned source;
    bool gone; // its source does not list it any more
};

struct fleet {
    struct connection connection;
    struct client *client;
    struct pods pods; // names of addresses; empty unless --pods was given
    struct source *sources;
    unsigned source_count;
    struct finder *finder;   // NULL: nobody looks for more
    struct server **servers; // in the order in which they came; they stay
    unsigned count, room;
};

// False with a sentence. The connection is read from command line and environment; each source is looked at once.
bool fleet_open(struct fleet *fleet, const struct invocation *given, struct error *error);
void fleet_close(struct fleet *fleet); // after all calls
// Whether answers are marked by where they come from.
bool fleet_is_several(const struct fleet *fleet);

// Sensors may come and go from now on: looks for them on and on. False with a sentence.
bool fleet_watch(struct fleet *fleet, struct error *error);
// Lets those join that were found, and marks those that are gone.
void fleet_refresh(struct fleet *fleet);
bool fleet_may_grow(const struct fleet *fleet);

// Opens the server's channel if there is none. False with a sentence.
bool fleet_connect(struct fleet *fleet, struct server *server, struct error *error);
void fleet_disconnect(struct server *server); // after its calls
