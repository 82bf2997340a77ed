// The HTTP server's own parts, as the files of http/ see them.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "config/settings.h"
#include "http/exchange.h"
#include "http/server.h"

struct MHD_Daemon;

struct http_server {
    struct http_setup setup;
    const struct listener_settings *listener;
    const char *base_path; // "" or "/x"
    struct MHD_Daemon *daemon;

    pthread_mutex_t lock;                // of the lists
    struct http_connection *connections; // open ones
    struct exchange *asked;              // those that the runner has
    atomic_uint exchanges;               // under way
};
