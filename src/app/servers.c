#include "app/servers.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/identity.h"
#include "api/method.h"
#include "api/runner.h"
#include "base/bell.h"
#include "base/metric.h"
#include "base/thread.h"
#include "base/version.h"
#include "config/config.h"
#include "config/settings.h"
#include "control/control.h"
#include "control/shares.h"
#include "door/door.h"
#include "rpc/server.h"

enum { GRACE_MS = 5000, LOOK_MS = 1000 };

struct servers {
    const struct settings *settings;
    struct control *control;
    struct identities *identities;
    struct api *api;
    struct door *door;
    struct runner *runner;
    struct rpc_server *rpc;
    // Looks after files that may change.
    pthread_t keeper;
    bool has_keeper;
    atomic_bool ending;
    struct bell bell;
};

uint32_t servers_connections(const struct settings *settings, const struct memory_shares *shares)
{
    uint64_t room = shares->server_bytes / DOOR_CONNECTION_BYTES;
    return room < settings->grpc.max_connections ? (uint32_t)room : settings->grpc.max_connections;
}

bool servers_check(const struct settings *settings, struct error *error)
{
    if (!settings_serve(settings))
        return true;
    struct identities *identities = identities_create(&settings->grpc, "grpc", "", error);
    identities_destroy(identities);
    return identities != NULL;
}

// The door is opened before there is a server behind it.
static void take_connection(void *taker, int take_descriptor)
{
    struct servers *servers = taker;
    rpc_server_take(servers->rpc, take_descriptor);
}

static bool open_door(struct servers *servers, struct error *error)
{
    struct door_listener grpc = {.name = "grpc",
                                 .settings = &servers->settings->grpc,
                                 .max_connections =
                                     servers_connections(servers->settings, control_shares(servers->control)),
                                 .protocol = DOOR_HTTP2,
                                 .take = take_connection,
                                 .taker = servers};
    servers->door = door_create(control_metrics(servers->control), &door_usual_limits, error);
    if (servers->door != NULL)
        door_tell_own(servers->door, control_own_connections(servers->control));
    return servers->door != NULL && door_listen(servers->door, &grpc, error);
}

static bool open_all(struct servers *servers, struct error *error)
{
    struct api_setup api = {.control = servers->control,
                            .version = NETSCOPE_VERSION,
                            .queue_bytes = control_shares(servers->control)->server_bytes};
    servers->identities =
        identities_create(&servers->settings->grpc, "grpc", control_node(servers->control), error);
    if (servers->identities == NULL)
        return false;
    identities_add_metrics(servers->identities, control_metrics(servers->control));
    servers->api = api_create(&api, error);
    return servers->api != NULL && open_door(servers, error);
}

struct servers *servers_open(const struct settings *settings, struct control *control, struct error *error)
{
    struct servers *servers = calloc(1, sizeof *servers);
    if (servers == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for the servers");
        return NULL;
    }
    servers->settings = settings;
    servers->control = control;
    if (!settings_serve(settings) || open_all(servers, error))
        return servers;
    servers_stop(servers);
    return NULL;
}

static void *keep(void *argument)
{
    struct servers *servers = argument;
    for (unsigned count = bell_count(&servers->bell); !atomic_load(&servers->ending);
         count = bell_count(&servers->bell)) {
        identities_reload(servers->identities);
        bell_wait(&servers->bell, count, LOOK_MS);
    }
    return NULL;
}

bool servers_start(struct servers *servers, struct error *error)
{
    if (servers->door == NULL)
        return true;
    servers->runner = runner_create(servers->api, error);
    if (servers->runner == NULL)
        return false;
    struct rpc_setup rpc = {.runner = servers->runner,
                            .door = servers->door,
                            .identities = servers->identities,
                            .metrics = control_metrics(servers->control),
                            .memory_bytes = control_shares(servers->control)->server_bytes};
    servers->rpc = rpc_server_create(&rpc, error);
    if (servers->rpc == NULL)
        return false;
    servers->has_keeper = thread_start(&servers->keeper, keep, servers);
    if (!servers->has_keeper)
        return error_set(error, ERROR_EXHAUSTED, "no thread for the servers: %s", thread_shortage());
    if (!door_start(servers->door, error))
        return false;
    api_set_serving(servers->api, true);
    control_keep_open(servers->control, !servers->settings->run.exit_at_end);
    return true;
}

void servers_announce_end(struct servers *servers)
{
    if (servers->api != NULL)
        api_set_serving(servers->api, false);
    if (servers->door != NULL)
        door_stop_accepting(servers->door);
}

void servers_stop(struct servers *servers)
{
    if (servers == NULL)
        return;
    servers_announce_end(servers);
    if (servers->runner != NULL)
        runner_drain(servers->runner);
    rpc_server_destroy(servers->rpc, GRACE_MS);
    atomic_store(&servers->ending, true);
    bell_ring(&servers->bell);
    if (servers->has_keeper)
        pthread_join(servers->keeper, NULL);
    runner_destroy(servers->runner);
    door_destroy(servers->door);
    api_destroy(servers->api);
    if (servers->identities != NULL)
        metric_registry_remove(control_metrics(servers->control), servers->identities);
    identities_destroy(servers->identities);
    free(servers);
}
