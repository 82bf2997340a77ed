// A server's entrances, a port and a unix socket, and what comes in by them: accepts, keeps out what is too much, and
// begins connections. Bound by the main thread; the door's thread from then on.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "door/counts.h"
#include "door/door.h"
#include "door/local_socket.h"
#include "door/watched.h"

struct certificate;

struct listener {
    struct door *door;
    const char *name; // as the settings borrowed
    const struct listener_settings *settings;
    uint32_t most; // connections at a time
    enum door_protocol protocol;
    void (*take)(void *taker, int take_descriptor);
    void *taker;
    struct certificate *certificate; // NULL = no TLS
    int port_descriptor;             // -1 = none
    uint16_t port;
    struct local_socket local;
    struct watched port_watched, local_watched;
    int64_t resume_ns;   // paused until then; 0 = not
    uint32_t local_open; // of the open connections, those of the unix socket
    struct door_counts counts;
};

// Reads the certificate and binds. What it got is given back by listener_done(), also when it fails.
bool listener_init(struct listener *listener, struct door *door, const struct door_listener *what,
                   struct error *error);
void listener_done(struct listener *listener);

// Begins to tell the epoll of connections; false without memory.
bool listener_watch(struct listener *listener);
// Listens no more.
void listener_close(struct listener *listener);
// There is somebody at an entrance.
void listener_event(struct listener *listener, const struct watched *entrance);
// Goes on after a pause.
void listener_look(struct listener *listener);
