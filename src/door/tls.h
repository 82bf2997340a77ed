// The TLS of one connection, as the server, on a socket that does not block. Calls return what those of door/wire.h do.
// The door's thread.
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct certificate;
struct peer;
struct tls_session;

// NULL without memory. The descriptor stays the caller's.
struct tls_session *tls_session_create(const struct certificate *certificate, int descriptor);
void tls_session_destroy(struct tls_session *session); // takes NULL

// WIRE_ENDED when it is done, WIRE_LATER or WIRE_BROKEN.
ssize_t tls_handshake(struct tls_session *session);
// The names of the client's certificate, if it showed one.
void tls_add_names(const struct tls_session *session, struct peer *peer);

// One read takes a record, 16 KiB at most: with room for one, nothing stays behind that the socket does not tell of.
ssize_t tls_read(struct tls_session *session, void *into, size_t most);
// After WIRE_LATER it wants the same bytes again.
ssize_t tls_write(struct tls_session *session, const void *bytes, size_t length);
ssize_t tls_end(struct tls_session *session);
