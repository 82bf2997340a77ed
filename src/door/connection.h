// A connection: accepted, through its TLS handshake, handed on to the listener's transport, pumped until both ends have
// ended, and lingered over until the client has seen that. The door's thread owns it; it is freed by
// connections_free_closed(), when no event can speak of it any more.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "door/counts.h"
#include "door/door.h"
#include "door/frame_guard.h"
#include "door/lane.h"
#include "door/own_ends.h"
#include "door/request_head.h"
#include "door/watched.h"
#include "door/wire.h"

struct listener;

enum connection_stage {
    STAGE_HANDSHAKE, // TLS
    STAGE_OPEN,      // handed on: both lanes are moved
    STAGE_LINGER,    // closed to the transport; the client gets what is left, and what it sends is forgotten
    STAGE_CLOSED
};

struct connection {
    struct connection *next, *previous;
    struct door *door;
    struct listener *listener;
    enum connection_stage stage;
    struct wire network, inner; // inner: the other end of what was handed on
    struct watched network_watched, inner_watched;
    struct lane up, down; // to the transport; to the client
    bool hung_up;         // the transport has closed its end
    bool is_local;        // through the unix socket
    bool asked;           // a first request is complete

    // Past this time it is closed, for this reason, or for none when it lingers. INT64_MAX = never.
    int64_t deadline_ns;
    enum refusal deadline_reason;

    struct peer *peer; // until it is handed on
    struct own_ends own;
    struct address address; // counts against others of the same; version 0 = does not
    union {
        struct frame_guard frames; // HTTP/2
        struct request_head head;  // HTTP/1
    };
};

// Takes the socket; closed and counted when there is no memory for it. `address` is what is counted.
void connection_begin(struct listener *listener, int take_descriptor, const struct peer *peer,
                      const struct address *address);

// An event of the network's end, or of the transport's.
void connection_network_event(struct connection *connection, uint32_t events);
void connection_inner_event(struct connection *connection, uint32_t events);

// Closes those that are late, and says when the next may be.
void connections_look(struct door *door);
// Closes those that were not handed on yet.
void connections_close_waiting(struct door *door);
// Closes the one of an entrance that has lingered longest; false when none does.
bool connections_end_lingering(struct listener *listener, bool local);
// Moves what can be moved. Whether there is more that transports have sent and clients have not.
bool connections_owe(struct door *door);
void connections_close_all(struct door *door);
void connections_free_closed(struct door *door);
