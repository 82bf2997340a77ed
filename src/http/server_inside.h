// The HTTP server's own parts, as the files of http/ see them.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "config/settings.h"
#include "http/exchange.h"
#include "http/forwarded.h"
#include "http/login_guard.h"
#include "http/server.h"
#include "http/tickets.h"

struct MHD_Daemon;

struct http_server {
    struct http_setup setup;
    const struct listener_settings *listener;
    const struct web_settings *web; // NULL = of the metrics
    const char *base_path;          // "" or "/x"
    char *base_with_slash;          // "/x/"
    struct proto_json *json;        // NULL likewise
    struct proxies proxies;         // that are trusted
    struct sockets *sockets;        // NULL likewise
    struct tickets tickets;         // of the library's thread
    struct login_guard logins;      // of the library's thread
    struct MHD_Daemon *daemon;

    pthread_mutex_t lock;                // of the lists
    struct http_connection *connections; // open ones
    uint32_t open[2];                    // of them, by the port and by the unix socket
    struct exchange *asked;              // those that the runner has
    _Atomic uint64_t held_bytes;         // of answers under way
    atomic_uint exchanges;               // under way
};

// connections.c. Past three quarters of an entrance's places, who comes new ends whoever has rested longest, so that resting
// keeps nobody out. How long one may rest, or take to read an answer.
enum { REST_S = 60 };

// NULL without memory: its requests are refused then.
struct http_connection *connection_open(struct http_server *server, struct MHD_Connection *connection);
void connection_close(struct http_server *server, struct http_connection *on); // takes NULL
// Something is asked on it, or nothing any more.
void connection_asks(struct http_connection *on);
void connection_rests(struct http_connection *on);
// Whether the places of its entrance run short: none may rest then.
bool connection_is_crowded(struct http_server *server, const struct http_connection *on);
// It is ended when it has not come further in so many seconds; 0 = never.
void connection_set_deadline(struct http_connection *on, int64_t seconds);
