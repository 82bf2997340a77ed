// The door: the only place of the process that listens. It accepts on TCP ports and unix sockets, does TLS, keeps out
// what is too much, and hands every connection on as a descriptor that speaks plaintext, one end of a pair of local
// sockets; the door passes all bytes on between the other end and the network. So a transport (gRPC, HTTP) needs to know
// neither TLS nor addresses, and what it cannot defend itself against is counted and stopped here:
//   - connections to the port and to the unix socket (`max_connections` each), and of an address (a quarter of them, and none
//     of the last sixteenth when it has one; loopback excepted);
//   - TLS handshakes and first requests that never come to an end (struct door_limits);
//   - HTTP/2 frames, a second and in one header block (door/frame_guard.h).
// What is refused is closed and counted: netscope_connections_refused_total{listener,reason}.
//
// One thread with an epoll of its own does all of it. A connection costs three descriptors, 32 KiB a direction while bytes
// wait there, and with TLS what OpenSSL takes; who does not read is not read from. Certificates are read again when their files change; a file that
// cannot be used leaves the old one in use, is logged and counted.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/metric.h"
#include "config/settings.h"
#include "net/peer.h"

enum { DOOR_LISTENERS = 4 };

// What a connection takes at most here, for the memory plan: two lanes, TLS, and what is known of it.
enum { DOOR_CONNECTION_BYTES = 131072 };

enum door_protocol { DOOR_HTTP2, DOOR_HTTP1 };

// A server as the door sees it. Name and settings are borrowed until door_destroy().
struct door_listener {
    const char *name; // "grpc": label of metrics, word of sentences, and prefix of the settings' keys
    const struct listener_settings *settings;
    uint32_t max_connections; // 0 = as the settings have it; fewer where memory is short
    enum door_protocol protocol;
    // Gets the descriptor of a new connection, non-blocking, and owns it from then on. On the door's thread, which waits
    // for it: no blocking call, and none of the door's functions but door_peer().
    void (*take)(void *taker, int take_descriptor);
    void *taker;
};

// How long and how much. Tests use less.
struct door_limits {
    uint32_t handshake_ms;   // for TLS
    uint32_t http2_ms;       // from then on, for a first complete HEADERS frame with all that belongs to it
    uint32_t http1_ms;       // the same for the head of a first request
    uint32_t linger_ms;      // for a client to see that it was closed
    uint32_t pause_ms;       // without accepting, when there are no more descriptors
    uint32_t certificate_ms; // between two looks at the files of certificates
};
extern const struct door_limits door_usual_limits;

struct door;
struct own_connections;

// Limits are copied. The registry, which outlives the door, is told of its counters by door_start(). NULL with a sentence.
struct door *door_create(struct metric_registry *registry, const struct door_limits *limits,
                         struct error *error);

// Before door_start(): connections of TCP are told to be the sensor's own while they are open. Borrowed.
void door_tell_own(struct door *door, struct own_connections *own);

// Before door_start(), at most DOOR_LISTENERS times: binds the port, the unix socket or both, and reads the certificate.
// False with a sentence that names the setting or the file.
bool door_listen(struct door *door, const struct door_listener *listener, struct error *error);

// Starts the thread; connections that came before wait for it. Raises the process' limit of descriptors, as far as it may,
// to what max_connections need.
bool door_start(struct door *door, struct error *error);

// Any thread but the door's, at any stage, any number of times: no port and no socket is listened on any more, and no
// connection is handed on after it returns. Those that were are served further.
void door_stop_accepting(struct door *door);

// Any thread, while it runs: has the files of certificates looked at now.
void door_look_at_certificates(struct door *door);

// Closes all connections and frees the door; what transports still hold of them reads as ended. What they have sent is
// with the clients then, but for those who did not read it within `linger_ms`. Takes NULL.
void door_destroy(struct door *door);

// Any thread: who is at the other end of a descriptor that was handed on, by its number, also after the connection has
// ended, until the same number is handed on again. False for a number that never was.
bool door_peer(struct door *door, int descriptor, struct peer *out);

// The port that the listener of this name is bound to, 0 when it is to none; from door_listen() on.
uint16_t door_port(const struct door *door, const char *name);
