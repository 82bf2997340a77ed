// The sensors that a command speaks to: one or several, each with a connection of its own, all waited for on one thread.
// Sensors may join and leave while a command runs. Owned by the command.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ctl/connection.h"
#include "rpc/client.h"

struct server {
    char *label;                    // what people call it
    char *address;                  // what it is reached by
    struct client_channel *channel; // NULL = none is open
    unsigned index;                 // in the order in which they came
    bool gone;                      // it is not listed any more
};

struct fleet {
    struct connection connection;
    struct client *client;
    struct server **servers; // in the order in which they came
    unsigned count, room;
};

// False with a sentence. The connection and its servers are read from command line and environment.
bool fleet_open(struct fleet *fleet, const struct invocation *given, struct error *error);
void fleet_close(struct fleet *fleet); // after all calls
bool fleet_is_several(const struct fleet *fleet);

// Opens the server's channel if there is none. False with a sentence.
bool fleet_connect(struct fleet *fleet, struct server *server, struct error *error);
void fleet_disconnect(struct server *server); // after its calls
