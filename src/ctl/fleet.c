#include "ctl/fleet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "ctl/complaint.h"
#include "ctl/invocation.h"

enum { SERVERS_MOST = 10000 };

static void destroy_server(struct server *server)
{
    fleet_disconnect(server);
    free(server->label);
    free(server->address);
    free(server->tls_name);
    free(server);
}

static bool make_room(struct fleet *fleet)
{
    if (fleet->count < fleet->room)
        return true;
    unsigned room = fleet->room > 0 ? fleet->room * 2 : 8;
    struct server **servers = room <= SERVERS_MOST ? realloc(fleet->servers, room * sizeof *servers) : NULL;
    if (servers == NULL)
        return false;
    fleet->servers = servers;
    fleet->room = room;
    return true;
}

// The place's texts are the server's from then on.
static bool add_server(struct fleet *fleet, struct place *take_place, unsigned source)
{
    struct server *server = make_room(fleet) ? calloc(1, sizeof *server) : NULL;
    if (server == NULL)
        return false;
    *server = (struct server){.label = take_place->label,
                              .address = take_place->address,
                              .tls_name = take_place->tls_name,
                              .index = fleet->count,
                              .source = source};
    assert(server->label != NULL && server->address != NULL);
    *take_place = (struct place){.label = NULL};
    fleet->servers[fleet->count++] = server;
    return true;
}

static struct server *find_server(const struct fleet *fleet, const char *address)
{
    for (unsigned i = 0; i < fleet->count; i++)
        if (strcmp(fleet->servers[i]->address, address) == 0)
            return fleet->servers[i];
    return NULL;
}

// What a look at a source found, which goes: all of its servers, those that are not among them are gone.
static bool meet(struct fleet *fleet, unsigned source, struct places *take_places)
{
    bool fine = true;
    for (unsigned i = 0; i < fleet->count; i++)
        if (fleet->servers[i]->source == source)
            fleet->servers[i]->gone = true;
    for (unsigned i = 0; i < take_places->count; i++) {
        struct server *known = find_server(fleet, take_places->list[i].address);
        if (known != NULL)
            known->gone = false;
        else
            fine &= add_server(fleet, &take_places->list[i], source);
    }
    places_done(take_places);
    return fine;
}

static bool make_sources(struct fleet *fleet)
{
    const struct connection *connection = &fleet->connection;
    fleet->sources = calloc(connection->count + 1, sizeof *fleet->sources);
    if (fleet->sources == NULL)
        return false;
    for (unsigned i = 0; i < connection->count; i++) {
        const char *address = connection->addresses[i];
        bool name = strncmp(address, "dns:///", 7) == 0;
        fleet->sources[fleet->source_count++] =
            (struct source){.kind = name ? SOURCE_DNS : SOURCE_ADDRESS, .address = address};
    }
    if (connection->uses_kube)
        fleet->sources[fleet->source_count++] = (struct source){
            .kind = SOURCE_KUBE, .namespace = connection->kube_namespace, .selector = connection->selector};
    return true;
}

// An error only when there is no sensor at all: else it is told, and the others are asked.
static bool look_once(struct fleet *fleet, struct error *error)
{
    bool failed = false;
    for (unsigned i = 0; i < fleet->source_count; i++) {
        struct places places;
        struct error trouble;
        if (source_look(&fleet->sources[i], &places, &trouble)) {
            if (!meet(fleet, i, &places))
                return error_set(error, ERROR_EXHAUSTED, "too many sensors, or no memory for them");
            continue;
        }
        if (failed)
            complain(error->text);
        failed = true;
        *error = trouble;
    }
    if (failed && fleet->count > 0)
        complain(error->text);
    return fleet->count > 0;
}

bool fleet_open(struct fleet *fleet, const struct invocation *given, struct error *error)
{
    *fleet = (struct fleet){.client = NULL};
    if (!connection_read(&fleet->connection, given, error))
        return false;
    if (given_knows(given, "pods") && given_is(given, "pods") && !pods_read(&fleet->pods, error)) {
        connection_done(&fleet->connection);
        return false;
    }
    fleet->client = client_create("netscopectl/" NETSCOPE_VERSION, error);
    if (fleet->client != NULL && !make_sources(fleet))
        error_set(error, ERROR_EXHAUSTED, "no memory for the servers");
    else if (fleet->client != NULL && look_once(fleet, error))
        return true;
    fleet_close(fleet);
    return false;
}

void fleet_close(struct fleet *fleet)
{
    finder_destroy(fleet->finder);
    for (unsigned i = 0; i < fleet->count; i++)
        destroy_server(fleet->servers[i]);
    free(fleet->servers);
    free(fleet->sources);
    pods_done(&fleet->pods);
    client_destroy(fleet->client);
    connection_done(&fleet->connection);
}

bool fleet_is_several(const struct fleet *fleet)
{
    return fleet->count > 1 || fleet_may_grow(fleet);
}

bool fleet_may_grow(const struct fleet *fleet)
{
    for (unsigned i = 0; i < fleet->source_count; i++)
        if (fleet->sources[i].kind != SOURCE_ADDRESS)
            return true;
    return false;
}

bool fleet_watch(struct fleet *fleet, struct error *error)
{
    assert(fleet->finder == NULL);
    if (!fleet_may_grow(fleet))
        return true;
    fleet->finder = finder_create(fleet->sources, fleet->source_count, error);
    return fleet->finder != NULL;
}

void fleet_refresh(struct fleet *fleet)
{
    unsigned source;
    struct places places;
    while (fleet->finder != NULL && finder_take(fleet->finder, &source, &places))
        if (!meet(fleet, source, &places))
            complain("too many sensors, or no memory for them: some are missing");
}

static bool start_relay(struct server *server, int *socket, struct error *error)
{
    char namespace[256], name[256];
    bool pod = place_is_pod(server->address, namespace, name);
    assert(pod);
    (void)pod;
    const char *const arguments[] = {"kubectl", "exec", "-i",          "-n",    namespace,
                                     name,      "--",   "netscopectl", "relay", NULL};
    return child_start(&server->child, arguments, socket, error);
}

static bool check_token(const struct connection *connection, const char *address, bool tls,
                        struct error *error)
{
    if (connection->token == NULL || tls || address_is_local(address) || connection->insecure_token)
        return true;
    return error_set(error, ERROR_FAILED_PRECONDITION,
                     "the token would go to %s without TLS, where others can read it: give --tls, or "
                     "--insecure-token if that is meant",
                     address);
}

bool fleet_connect(struct fleet *fleet, struct server *server, struct error *error)
{
    const struct connection *connection = &fleet->connection;
    struct client_tls tls = connection->tls;
    bool is_pod = strncmp(server->address, "pod:", 4) == 0;
    // Neither a unix socket nor what kubectl joins speaks TLS.
    bool uses_tls = connection->uses_tls && !is_pod && strncmp(server->address, "unix:", 5) != 0;
    struct client_target target = {.address = server->address,
                                   .take_descriptor = -1,
                                   .tls = uses_tls ? &tls : NULL,
                                   .token = is_pod ? NULL : connection->token};
    if (server->channel != NULL)
        return true;
    if (tls.server_name == NULL)
        tls.server_name = server->tls_name;
    if (is_pod ? !start_relay(server, &target.take_descriptor, error)
               : !check_token(connection, server->address, uses_tls, error))
        return false;
    assert((target.take_descriptor >= 0) == is_pod);
    server->channel = client_channel_open(fleet->client, &target, error);
    return server->channel != NULL;
}

void fleet_disconnect(struct server *server)
{
    client_channel_close(server->channel);
    server->channel = NULL;
    child_end(&server->child);
}
