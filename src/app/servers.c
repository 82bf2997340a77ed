#include "app/servers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/identity.h"
#include "api/method.h"
#include "api/runner.h"
#include "base/bell.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/strbuf.h"
#include "base/thread.h"
#include "base/time.h"
#include "base/version.h"
#include "capture/clock.h"
#include "config/config.h"
#include "config/settings.h"
#include "control/control.h"
#include "control/shares.h"
#include "door/door.h"
#include "http/server.h"
#include "rpc/server.h"

enum { GRACE_MS = 5000, LOOK_MS = 1000, PLACES_BYTES = 1024 };

enum { GRPC, WEB, METRICS, LISTENERS };

// A listener of the door, who may use it, and the server behind it.
struct served {
    const char *name;
    const struct listener_settings *settings;
    enum door_protocol protocol;
    struct identities *identities;
    void (*take)(void *server, int take_descriptor);
    void *server; // NULL = not yet, or it is off
};

struct servers {
    const struct settings *settings;
    struct control *control;
    struct served served[LISTENERS];
    struct api *api;
    struct door *door;
    struct runner *runner;
    // Looks after files that may change, and what is late.
    pthread_t keeper;
    bool has_keeper;
    atomic_bool ending;
    struct bell bell;
};

static void fill_served(struct served served[LISTENERS], const struct settings *settings)
{
    served[GRPC] = (struct served){"grpc", &settings->grpc, DOOR_HTTP2, .take = rpc_server_take};
    served[WEB] = (struct served){"web", &settings->web.listener, DOOR_HTTP1, .take = http_server_take};
    served[METRICS] = (struct served){"metrics", &settings->metrics, DOOR_HTTP1, .take = http_server_take};
}

// The memory for connections is shared evenly.
static uint32_t connections_of(const struct listener_settings *listener, const struct settings *settings,
                               const struct memory_shares *shares)
{
    unsigned sharers =
        (unsigned)(settings->grpc.enabled + settings->web.listener.enabled + settings->metrics.enabled);
    if (!listener->enabled)
        return 0;
    uint64_t room = shares->connection_bytes / DOOR_CONNECTION_BYTES / sharers;
    return room < listener->max_connections ? (uint32_t)room : listener->max_connections;
}

uint32_t servers_connections(const struct settings *settings, const struct memory_shares *shares)
{
    const struct listener_settings *const all[] = {&settings->grpc, &settings->web.listener,
                                                   &settings->metrics};
    uint32_t connections = 0;
    for (unsigned i = 0; i < LISTENERS; i++) {
        unsigned entrances = (all[i]->bind[0] != '\0' ? 1U : 0U) + (all[i]->socket[0] != '\0' ? 1U : 0U);
        connections += entrances * connections_of(all[i], settings, shares);
    }
    return connections;
}

bool servers_check(const struct settings *settings, struct error *error)
{
    struct served served[LISTENERS];
    bool good = !settings->web.listener.enabled || http_settings_check(&settings->web, error);
    fill_served(served, settings);
    for (unsigned i = 0; good && i < LISTENERS; i++) {
        if (!served[i].settings->enabled)
            continue;
        struct identities *identities = identities_create(served[i].settings, served[i].name, "", error);
        good = identities != NULL;
        identities_destroy(identities);
    }
    return good;
}

static uint32_t most_of(const struct servers *servers, const struct served *served)
{
    return connections_of(served->settings, servers->settings, control_shares(servers->control));
}

// The door is opened before there is a server behind it.
static void take_connection(void *taker, int take_descriptor)
{
    struct served *served = taker;
    served->take(served->server, take_descriptor);
}

static bool listen_for(struct servers *servers, struct served *served, struct error *error)
{
    struct door_listener listener = {.name = served->name,
                                     .settings = served->settings,
                                     .max_connections = most_of(servers, served),
                                     .protocol = served->protocol,
                                     .take = take_connection,
                                     .taker = served};
    return door_listen(servers->door, &listener, error);
}

static bool open_door(struct servers *servers, struct error *error)
{
    servers->door = door_create(control_metrics(servers->control), &door_usual_limits, error);
    if (servers->door == NULL)
        return false;
    door_tell_own(servers->door, control_own_connections(servers->control));
    for (unsigned i = 0; i < LISTENERS; i++)
        if (servers->served[i].settings->enabled && !listen_for(servers, &servers->served[i], error))
            return false;
    return true;
}

static bool read_identities(struct servers *servers, struct error *error)
{
    struct metric_registry *registry = control_metrics(servers->control);
    struct identities *told = NULL;
    for (unsigned i = 0; i < LISTENERS; i++) {
        struct served *served = &servers->served[i];
        if (!served->settings->enabled)
            continue;
        served->identities =
            identities_create(served->settings, served->name, control_node(servers->control), error);
        if (served->identities == NULL)
            return false;
        if (told != NULL)
            metric_registry_remove(registry, told);
        if (!identities_add_metrics(served->identities, told, registry))
            return error_set(error, ERROR_EXHAUSTED, "no place for the counters of callers");
        told = served->identities;
    }
    return true;
}

static bool open_all(struct servers *servers, struct error *error)
{
    struct api_setup api = {.control = servers->control,
                            .version = NETSCOPE_VERSION,
                            .queue_bytes = control_shares(servers->control)->server_bytes};
    if (!read_identities(servers, error))
        return false;
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
    fill_served(servers->served, settings);
    if (!settings_listen(settings) || open_all(servers, error))
        return servers;
    servers_stop(servers);
    return NULL;
}

// "web at 127.0.0.1:8080 and /run/netscope.sock", of all that listen.
static void add_places(struct strbuf *text, const struct servers *servers)
{
    const char *before = "";
    for (unsigned i = 0; i < LISTENERS; i++) {
        const struct served *served = &servers->served[i];
        unsigned port = served->settings->enabled ? door_port(servers->door, served->name) : 0;
        bool six = strchr(served->settings->bind, ':') != NULL;
        const char *socket = served->settings->enabled ? served->settings->socket : "";
        if (port != 0 || socket[0] != '\0')
            strbuf_addf(text, "%s%s at ", before, served->name);
        if (port != 0)
            strbuf_addf(text, "%s%s%s:%u", six ? "[" : "", served->settings->bind, six ? "]" : "", port);
        if (socket[0] != '\0')
            strbuf_addf(text, "%s%s", port != 0 ? " and " : "", socket);
        before = text->length > 0 ? ", " : "";
    }
}

static void tell_rest(const struct servers *servers)
{
    struct strbuf text;
    strbuf_init(&text, PLACES_BYTES);
    add_places(&text, servers);
    log_warning("capture",
                "all is read; what was found is served until a signal (--exit-at-end ends here): %s",
                text.text);
    strbuf_done(&text);
}

static void *keep(void *argument)
{
    struct servers *servers = argument;
    bool told = false;
    pthread_setname_np(pthread_self(), "keeper");
    for (unsigned count = bell_count(&servers->bell); !atomic_load(&servers->ending);
         count = bell_count(&servers->bell)) {
        for (unsigned i = 0; i < LISTENERS; i++) {
            struct served *served = &servers->served[i];
            if (served->identities != NULL)
                identities_reload(served->identities);
            if (served->server != NULL && served->protocol == DOOR_HTTP1)
                http_server_look(served->server);
        }
        if (!told && control_rests(servers->control)) {
            tell_rest(servers);
            told = true;
        }
        bell_wait(&servers->bell, count, LOOK_MS);
    }
    return NULL;
}

static bool start_grpc(struct servers *servers, struct error *error)
{
    struct served *grpc = &servers->served[GRPC];
    struct rpc_setup setup = {.runner = servers->runner,
                              .door = servers->door,
                              .identities = grpc->identities,
                              .metrics = control_metrics(servers->control),
                              .memory_bytes = control_shares(servers->control)->server_bytes};
    if (grpc->settings->enabled)
        grpc->server = rpc_server_create(&setup, error);
    return !grpc->settings->enabled || grpc->server != NULL;
}

static bool start_http(struct servers *servers, struct served *served, struct error *error)
{
    struct http_setup setup = {.surface = served == &servers->served[WEB] ? HTTP_WEB : HTTP_METRICS,
                               .max_connections = most_of(servers, served),
                               .settings = servers->settings,
                               .control = servers->control,
                               .api = servers->api,
                               .runner = servers->runner,
                               .door = servers->door,
                               .identities = served->identities};
    if (served->settings->enabled)
        served->server = http_server_create(&setup, error);
    return !served->settings->enabled || served->server != NULL;
}

// To people at a terminal: nobody finds a port in a manual gladly.
static void tell_page(const struct servers *servers)
{
    const struct listener_settings *web = &servers->settings->web.listener;
    bool six = strchr(web->bind, ':') != NULL;
    const char *base = servers->settings->web.base_path;
    unsigned port = door_port(servers->door, servers->served[WEB].name);
    if (port == 0 || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "netscope: the page is at %s://%s%s%s:%u%s/\n", web->tls.enabled ? "https" : "http",
            six ? "[" : "", web->bind, six ? "]" : "", port, base);
}

bool servers_start(struct servers *servers, struct error *error)
{
    if (servers->door == NULL)
        return true;
    servers->runner = runner_create(servers->api, error);
    if (servers->runner == NULL || !start_grpc(servers, error) ||
        !start_http(servers, &servers->served[WEB], error) ||
        !start_http(servers, &servers->served[METRICS], error))
        return false;
    servers->has_keeper = thread_start(&servers->keeper, keep, servers);
    if (!servers->has_keeper)
        return error_set(error, ERROR_EXHAUSTED, "no thread for the servers: %s", thread_shortage());
    if (!door_start(servers->door, error))
        return false;
    tell_page(servers);
    api_set_serving(servers->api, true);
    control_keep_open(servers->control, !servers->settings->run.exit_at_end);
    return true;
}

void servers_look_at_files(struct servers *servers)
{
    if (servers->door == NULL)
        return;
    bell_ring(&servers->bell);
    door_look_at_certificates(servers->door);
}

void servers_announce_end(struct servers *servers)
{
    if (servers->api != NULL)
        api_set_serving(servers->api, false);
    if (servers->door != NULL)
        door_stop_accepting(servers->door);
}

static void forget_identities(struct servers *servers)
{
    struct metric_registry *registry = control_metrics(servers->control);
    for (unsigned i = 0; i < LISTENERS; i++)
        if (servers->served[i].identities != NULL)
            metric_registry_remove(registry, servers->served[i].identities);
    for (unsigned i = 0; i < LISTENERS; i++)
        identities_destroy(servers->served[i].identities);
}

static int left_ms(int64_t end_ns)
{
    int64_t left = (end_ns - clock_now_ns()) / NS_PER_MS;
    return left > 0 ? (int)left : 0;
}

void servers_stop(struct servers *servers)
{
    if (servers == NULL)
        return;
    servers_announce_end(servers);
    if (servers->runner != NULL)
        runner_drain(servers->runner);
    // All have one grace together: each is told before any is waited for.
    int64_t end_ns = clock_now_ns() + GRACE_MS * NS_PER_MS;
    http_server_announce_end(servers->served[WEB].server, GRACE_MS);
    rpc_server_destroy(servers->served[GRPC].server, GRACE_MS);
    atomic_store(&servers->ending, true);
    bell_ring(&servers->bell);
    if (servers->has_keeper)
        pthread_join(servers->keeper, NULL);
    http_server_destroy(servers->served[WEB].server, left_ms(end_ns));
    http_server_destroy(servers->served[METRICS].server, left_ms(end_ns));
    runner_destroy(servers->runner);
    door_destroy(servers->door);
    api_destroy(servers->api);
    forget_identities(servers);
    free(servers);
}
