#include "http/server.h"

#include <assert.h>
#include <limits.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/un.h>

#include "api/proto_json.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/time.h"
#include "capture/clock.h"
#include "control/control.h"
#include "control/shares.h"
#include "http/assets.h"
#include "http/connect.h"
#include "http/server_inside.h"
#include "http/sockets.h"
#include "http/websocket.h"

enum {
    CONNECTION_BYTES = 32768,
    BODY_S = 10,
    SPARE_CONNECTIONS = 8,
    STEP_MS = 10,
    FORGOTTEN_BYTES = 1 << 20
};

static void on_connection(void *argument, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *context = connection_open(argument, connection);
    else
        connection_close(argument, *context);
}

// Requests.

static struct exchange *begin_exchange(struct http_server *server, struct MHD_Connection *connection,
                                       const char *path, const char *method)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct exchange *exchange = info->socket_context != NULL ? exchange_create(server, connection) : NULL;
    size_t base = strlen(server->base_path);
    if (exchange == NULL)
        return NULL;
    exchange->on = info->socket_context;
    exchange->method = method;
    bool below =
        base > 0 && strncmp(path, server->base_path, base) == 0 && (path[base] == '/' || path[base] == '\0');
    exchange->path = !below ? path : path[base] == '\0' ? "/" : path + base;
    exchange->is_base = below && path[base] == '\0';
    connection_asks(exchange->on);
    connection_set_deadline(exchange->on, BODY_S);
    atomic_fetch_add(&server->exchanges, 1);
    return exchange;
}

// The library may have a lock of its own here: ours is not taken (connect.c resumes below it).
static void on_completed(void *argument, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode how)
{
    struct http_server *server = argument;
    struct exchange *exchange = *context;
    (void)connection;
    (void)how;
    if (exchange == NULL)
        return;
    connection_rests(exchange->on);
    atomic_fetch_sub(&server->held_bytes, exchange->held_bytes);
    exchange_destroy(exchange);
    *context = NULL;
    atomic_fetch_sub(&server->exchanges, 1);
}

static bool is_probe(const char *path)
{
    return strcmp(path, "/livez") == 0 || strcmp(path, "/readyz") == 0;
}

// Probes come by any name, and tell nothing.
static void answer_exchange(struct exchange *exchange)
{
    bool web = exchange->server->web != NULL;
    if (exchange->body.failed && !request_too_long(exchange))
        return;
    if (!is_probe(exchange->path) && (!request_find_peer(exchange) || (web && !request_has_host(exchange))))
        return;
    if (pages_answer(exchange) || (web && (connect_answer(exchange) || websocket_answer(exchange) ||
                                           ticket_answer(exchange) || assets_answer(exchange))))
        return;
    answer_refuse(&exchange->answer, 404, STATUS_NOT_FOUND, "NO_SUCH_PATH", "there is nothing at this path");
}

// Takes the body over.
static struct MHD_Response *response_of(struct answer *answer)
{
    struct strbuf *body = &answer->body;
    bool owned = answer->fixed == NULL && body->capacity > 0; // an empty one has no memory of its own
    assert(answer->fixed == NULL || body->length == 0);
    const void *bytes = answer->fixed != NULL ? answer->fixed : owned ? body->text : "";
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->fixed != NULL ? answer->fixed_bytes : body->length, (void *)(uintptr_t)bytes,
        owned ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (response != NULL && owned)
        strbuf_init(body, 1);
    return response;
}

// What every answer says to browsers, whatever it is.
static void add_headers(struct MHD_Response *response, const struct answer *answer)
{
    static const char nothing[] = "default-src 'none'; frame-ancestors 'none'";
    MHD_add_response_header(response, "Content-Type", answer->type);
    MHD_add_response_header(response, "Cache-Control", answer->cache != NULL ? answer->cache : "no-store");
    MHD_add_response_header(response, "Content-Security-Policy",
                            answer->policy != NULL ? answer->policy : nothing);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    for (unsigned i = 0; i < answer->header_count; i++)
        MHD_add_response_header(response, answer->header[i].name, answer->header[i].value);
    if (answer->closes)
        MHD_add_response_header(response, "Connection", "close");
}

// What waits for clients to read it has a share of the memory; a static file costs none.
static void find_room(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    struct answer *answer = &exchange->answer;
    size_t bytes = answer->body.capacity;
    uint64_t held = atomic_fetch_add(&server->held_bytes, bytes) + bytes;
    exchange->held_bytes = bytes;
    if (bytes == 0 || held <= control_shares(server->setup.control)->server_bytes || answer->code != 200)
        return;
    atomic_fetch_sub(&server->held_bytes, bytes);
    exchange->held_bytes = 0;
    strbuf_done(&answer->body);
    strbuf_init(&answer->body, ANSWER_BYTES);
    answer_refuse(answer, 429, STATUS_RESOURCE_EXHAUSTED, "SLOW_READERS",
                  "too much waits for clients that do not read their answers: try again later");
}

static enum MHD_Result switch_protocols(struct exchange *exchange)
{
    struct MHD_Response *response = websocket_response(exchange);
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result queued = MHD_queue_response(exchange->connection, MHD_HTTP_SWITCHING_PROTOCOLS, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result send_answer(struct exchange *exchange)
{
    struct answer *answer = &exchange->answer;
    if (exchange->stream != NULL)
        return switch_protocols(exchange);
    assert(answer->code >= 200 && answer->type != NULL);
    find_room(exchange);
    struct MHD_Response *response = response_of(answer);
    if (response == NULL)
        return MHD_NO;
    answer->closes |= connection_is_crowded(exchange->server, exchange->on);
    add_headers(response, answer);
    assert(exchange->held_bytes <= atomic_load(&exchange->server->held_bytes));
    connection_set_deadline(exchange->on, REST_S);
    enum MHD_Result queued = MHD_queue_response(exchange->connection, answer->code, response);
    MHD_destroy_response(response);
    return queued;
}

// What is too long is read on for a while, so that the client gets to see its answer.
static enum MHD_Result receive(struct exchange *exchange, const char *bytes, size_t *length)
{
    strbuf_add_bytes(&exchange->body, bytes, *length);
    exchange->received_bytes += *length;
    *length = 0;
    bool late = clock_now_ns() - exchange->begun_ns > BODY_S * NS_PER_S;
    return exchange->received_bytes > FORGOTTEN_BYTES || late ? MHD_NO : MHD_YES;
}

// Called for the headers, for each piece of the body, for its end, and again when a call was answered.
static enum MHD_Result on_request(void *argument, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *bytes, size_t *length,
                                  void **context)
{
    struct exchange *exchange = *context;
    (void)version;
    if (exchange == NULL) {
        exchange = begin_exchange(argument, connection, path, method);
        *context = exchange;
        if (exchange == NULL)
            return MHD_NO;
        return request_is_framed(exchange) ? MHD_YES : send_answer(exchange);
    }
    if (*length > 0)
        return receive(exchange, bytes, length);
    if (exchange->answered)
        return send_answer(exchange);
    exchange->answered = true;
    connection_set_deadline(exchange->on, 0);
    answer_exchange(exchange);
    return exchange->call.reply != NULL ? MHD_YES : send_answer(exchange); // the runner has it, or had it
}

// Life.

__attribute__((format(printf, 2, 0))) static void log_library(void *argument, const char *format,
                                                              va_list values)
{
    char text[256];
    (void)argument;
    vsnprintf(text, sizeof text, format, values);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http", "%s", text);
}

// No path of ours needs escapes: what has some is none, whatever a proxy in front takes it for.
static size_t leave_escapes(void *argument, struct MHD_Connection *connection, char *text)
{
    (void)argument;
    (void)connection;
    return strlen(text);
}

// The door keeps out what is more, at each entrance; the library's own limit is one of all.
static unsigned most_connections(const struct http_server *server)
{
    const struct listener_settings *listener = server->listener;
    unsigned entrances = (listener->bind[0] != '\0' ? 1U : 0U) + (listener->socket[0] != '\0' ? 1U : 0U);
    assert(entrances > 0 && server->setup.max_connections > 0);
    return entrances * server->setup.max_connections + SPARE_CONNECTIONS;
}

// On a thread without signals and capabilities: the one that the library starts begins as this one.
static void *start_daemon(void *argument)
{
    struct http_server *server = argument;
    unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC |
                     MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE;
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, log_library, server,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        server, MHD_OPTION_CONNECTION_LIMIT, most_connections(server), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK,
        leave_escapes, NULL, MHD_OPTION_END);
    return NULL;
}

static bool prepare_web(struct http_server *server, struct error *error)
{
    server->web = &server->setup.settings->web;
    server->base_path = server->web->base_path;
    server->json = proto_json_create();
    if (asprintf(&server->base_with_slash, "%s/", server->base_path) < 0)
        server->base_with_slash = NULL;
    if (server->json == NULL || server->base_with_slash == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for the HTTP server");
    server->sockets = sockets_create(server, error);
    return server->sockets != NULL && proxies_parse(&server->web->trusted_proxies, &server->proxies, error);
}

static bool start(struct http_server *server, struct error *error)
{
    pthread_t starter;
    bool started = thread_start(&starter, start_daemon, server);
    if (started)
        pthread_join(starter, NULL);
    return server->daemon != NULL || error_set(error, ERROR_EXHAUSTED, "the HTTP server cannot start: %s",
                                               started ? "no memory, or no threads" : thread_shortage());
}

bool http_settings_check(const struct web_settings *web, struct error *error)
{
    struct proxies proxies;
    bool good = proxies_parse(&web->trusted_proxies, &proxies, error);
    if (good)
        proxies_done(&proxies);
    return good;
}

struct http_server *http_server_create(const struct http_setup *setup, struct error *error)
{
    struct http_server *server = calloc(1, sizeof *server);
    const struct settings *settings = setup->settings;
    bool web = setup->surface == HTTP_WEB;
    uint64_t seed = 0;
    if (server == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for the HTTP server");
        return NULL;
    }
    server->setup = *setup;
    server->listener = web ? &settings->web.listener : &settings->metrics;
    server->base_path = "";
    pthread_mutex_init(&server->lock, NULL);
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed || seed == 0)
        error_set(error, ERROR_UNAVAILABLE, "the kernel gives no random numbers for the HTTP server");
    login_guard_init(&server->logins, seed);
    if (seed != 0 && (!web || prepare_web(server, error)) && start(server, error))
        return server;
    http_server_destroy(server, 0);
    return NULL;
}

void http_server_take(void *server, int take_descriptor)
{
    // The library wants an address; who it is knows the door.
    const struct sockaddr_un nobody = {.sun_family = AF_UNIX};
    struct http_server *own = server;
    MHD_add_connection(own->daemon, take_descriptor, (const struct sockaddr *)&nobody, sizeof nobody);
}

static void cancel_calls(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    for (struct exchange *exchange = server->asked; exchange != NULL; exchange = exchange->next)
        runner_cancel(server->setup.runner, &exchange->call);
    pthread_mutex_unlock(&server->lock);
}

static bool has_asked(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    bool any = server->asked != NULL;
    pthread_mutex_unlock(&server->lock);
    return any;
}

static void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = STEP_MS * NS_PER_MS}, NULL);
}

void http_server_announce_end(struct http_server *server, int grace_ms)
{
    if (server != NULL)
        sockets_announce_end(server->sockets, grace_ms);
}

void http_server_destroy(struct http_server *server, int grace_ms)
{
    enum { SENDING_MS = 1000 };
    if (server == NULL)
        return;
    http_server_announce_end(server, grace_ms);
    sockets_end(server->sockets);
    for (int waited = 0; has_asked(server); waited += STEP_MS) {
        if (waited >= grace_ms)
            cancel_calls(server);
        rest();
    }
    for (int waited = 0; atomic_load(&server->exchanges) > 0 && waited < SENDING_MS; waited += STEP_MS)
        rest();
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    assert(atomic_load(&server->exchanges) == 0 && server->connections == NULL);
    sockets_destroy(server->sockets);
    tickets_done(&server->tickets);
    proto_json_destroy(server->json);
    free(server->base_with_slash);
    proxies_done(&server->proxies);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
