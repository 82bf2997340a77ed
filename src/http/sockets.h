// The open WebSockets of a server, on a thread of their own: frames by wslay, streams by the runner. One message of a stream is
// on its way at a time, so that who does not read makes his stream wait, and leave out what has no room there. Who does not
// read for a minute, sends more than a request, or floods with frames is closed. At the end all are told and closed.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct exchange;
struct http_server;
struct MHD_UpgradeResponseHandle;
struct socket_stream;
struct sockets;

// NULL with a sentence.
struct sockets *sockets_create(struct http_server *server, struct error *error);
// Streams have so long to tell their ends; what comes then is closed at once. Does not wait for it. Takes NULL.
void sockets_announce_end(struct sockets *sockets, int grace_ms);
void sockets_end(struct sockets *sockets);     // waits for it; takes NULL
void sockets_destroy(struct sockets *sockets); // after the end, when none can come; takes NULL

// Of the method and the caller of a handshake, whose caller it takes. NULL without memory.
struct socket_stream *socket_stream_create(struct exchange *exchange);
void socket_stream_destroy(struct socket_stream *stream); // that was not taken; takes NULL

// What a handshake leads to. What came early is the library's for the call.
struct upgraded {
    struct MHD_UpgradeResponseHandle *handle;
    int descriptor;
    const char *early;
    size_t early_bytes;
};
void sockets_take(struct sockets *sockets, struct socket_stream *take_stream,
                  const struct upgraded *upgraded);
