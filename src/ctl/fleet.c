#include "ctl/fleet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"

enum { SERVERS_MOST = 10000 };

static void destroy_server(struct server *server)
{
    if (server == NULL)
        return;
    fleet_disconnect(server);
    free(server->label);
    free(server->address);
    free(server);
}

static bool make_room(struct fleet *fleet)
{
    if (fleet->count < fleet->room)
        return true;
    unsigned room = fleet->room > 0 ? fleet->room * 2 : 8;
    struct server **servers = realloc(fleet->servers, room * sizeof *servers);
    if (room > SERVERS_MOST || servers == NULL)
        return false;
    fleet->servers = servers;
    fleet->room = room;
    return true;
}

static bool add_server(struct fleet *fleet, const char *label, const char *address)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL || !make_room(fleet)) {
        free(server);
        return false;
    }
    server->label = strdup(label);
    server->address = strdup(address);
    server->index = fleet->count;
    fleet->servers[fleet->count++] = server;
    return server->label != NULL && server->address != NULL;
}

static bool is_known(const struct fleet *fleet, const char *address)
{
    for (unsigned i = 0; i < fleet->count; i++)
        if (strcmp(fleet->servers[i]->address, address) == 0)
            return true;
    return false;
}

static bool add_servers(struct fleet *fleet, struct error *error)
{
    for (unsigned i = 0; i < fleet->connection.count; i++) {
        const char *address = fleet->connection.addresses[i];
        if (!is_known(fleet, address) && !add_server(fleet, address, address))
            return error_set(error, ERROR_EXHAUSTED, "too many servers, or no memory for them");
    }
    return true;
}

bool fleet_open(struct fleet *fleet, const struct invocation *given, struct error *error)
{
    *fleet = (struct fleet){.client = NULL};
    if (!connection_read(&fleet->connection, given, error))
        return false;
    fleet->client = client_create("netscopectl/" NETSCOPE_VERSION, error);
    if (fleet->client != NULL && add_servers(fleet, error))
        return true;
    fleet_close(fleet);
    return false;
}

void fleet_close(struct fleet *fleet)
{
    for (unsigned i = 0; i < fleet->count; i++)
        destroy_server(fleet->servers[i]);
    free(fleet->servers);
    client_destroy(fleet->client);
    connection_done(&fleet->connection);
}

bool fleet_is_several(const struct fleet *fleet)
{
    return fleet->count > 1 || strncmp(fleet->connection.addresses[0], "dns:///", 7) == 0;
}

bool fleet_connect(struct fleet *fleet, struct server *server, struct error *error)
{
    const struct connection *connection = &fleet->connection;
    bool local = address_is_local(server->address);
    if (server->channel != NULL)
        return true;
    // The unix socket never speaks TLS.
    bool tls = connection->uses_tls && strncmp(server->address, "unix:", 5) != 0;
    if (connection->token != NULL && !tls && !local && !connection->insecure_token)
        return error_set(error, ERROR_FAILED_PRECONDITION,
                         "the token would go to %s without TLS, where others can read it: give --tls, or "
                         "--insecure-token if that is meant",
                         server->address);
    struct client_target target = {.address = server->address,
                                   .take_descriptor = -1,
                                   .tls = tls ? &connection->tls : NULL,
                                   .token = connection->token};
    server->channel = client_channel_open(fleet->client, &target, error);
    return server->channel != NULL;
}

void fleet_disconnect(struct server *server)
{
    client_channel_close(server->channel);
    server->channel = NULL;
}
