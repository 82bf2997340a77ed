// An end of a connection that bytes are read from and written to: a socket that does not block, with TLS or without.
// The door's thread.
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct tls_session;

// What a call returns that moved nothing.
enum {
    WIRE_ENDED = 0,   // there will be no more
    WIRE_LATER = -1,  // when the socket is ready again
    WIRE_BROKEN = -2, // never again
};

struct wire {
    int descriptor;          // -1 = closed
    struct tls_session *tls; // NULL = plain
};

ssize_t wire_read(const struct wire *wire, void *into, size_t most);
ssize_t wire_write(const struct wire *wire, const void *bytes, size_t length);
// Says that no more will be written; what comes can still be read. WIRE_ENDED, WIRE_LATER (to be called again) or
// WIRE_BROKEN.
ssize_t wire_end(const struct wire *wire);
// Reads and forgets, below TLS: for an end that is only waited for.
ssize_t wire_discard(const struct wire *wire);
void wire_close(struct wire *wire);
