// An HTTP server: what one listener of the door serves, on connections that the door hands over. The metrics listener has
// /metrics and the probes; the web listener the API and the page as well. libmicrohttpd parses and sends on one thread of its
// own; calls of the API are answered on the runner's threads meanwhile.
//
// What libmicrohttpd cannot defend itself against is bounded here: bodies (64 KiB, 10 s), answers that are not read and
// connections that rest or dribble (a minute, and less where places run short), requests whose end is ambiguous (refused). The door has the rest.
#pragma once

#include <stdint.h>

#include "base/error.h"

struct api;
struct control;
struct door;
struct http_server;
struct identities;
struct runner;
struct settings;
struct web_settings;

enum http_surface { HTTP_METRICS, HTTP_WEB };

// Borrowed, until the server is gone.
struct http_setup {
    enum http_surface surface;
    uint32_t max_connections; // that the door lets in by each entrance
    const struct settings *settings;
    struct control *control;
    struct api *api;
    struct runner *runner;
    struct door *door; // tells who is at the other end of a connection
    struct identities *identities;
};

// For --check-config: what the settings' own checks do not know. False with a sentence.
bool http_settings_check(const struct web_settings *web, struct error *error);

// Begins to serve. NULL with a sentence.
struct http_server *http_server_create(const struct http_setup *setup, struct error *error);

// A connection, non-blocking and in plain text; taken whatever comes of it. Any thread (door_listener.take).
void http_server_take(void *server, int take_descriptor);

// About once a second, from any one thread: ends connections that are late.
void http_server_look(struct http_server *server);

// Tells clients the end, before http_server_destroy(): streams have `grace_ms` from now. Returns at once. Takes NULL.
void http_server_announce_end(struct http_server *server, int grace_ms);

// In order: calls under way get `grace_ms` to end (the runner was told to drain before), and are cancelled then; answers are
// sent; everything is freed. Takes NULL. No connection may come any more.
void http_server_destroy(struct http_server *server, int grace_ms);
