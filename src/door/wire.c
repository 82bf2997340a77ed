#include "door/wire.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "door/tls.h"

static ssize_t read_plain(int descriptor, void *into, size_t most)
{
    ssize_t got;
    do
        got = recv(descriptor, into, most, 0);
    while (got < 0 && errno == EINTR);
    if (got >= 0)
        return got;
    return errno == EAGAIN ? WIRE_LATER : WIRE_BROKEN;
}

ssize_t wire_read(const struct wire *wire, void *into, size_t most)
{
    assert(wire->descriptor >= 0 && most > 0);
    return wire->tls != NULL ? tls_read(wire->tls, into, most) : read_plain(wire->descriptor, into, most);
}

ssize_t wire_write(const struct wire *wire, const void *bytes, size_t length)
{
    assert(wire->descriptor >= 0 && length > 0);
    if (wire->tls != NULL)
        return tls_write(wire->tls, bytes, length);
    ssize_t put;
    do
        put = send(wire->descriptor, bytes, length, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    if (put >= 0)
        return put;
    return errno == EAGAIN ? WIRE_LATER : WIRE_BROKEN;
}

ssize_t wire_end(const struct wire *wire)
{
    assert(wire->descriptor >= 0);
    ssize_t told = wire->tls != NULL ? tls_end(wire->tls) : WIRE_ENDED;
    if (told != WIRE_ENDED)
        return told;
    return shutdown(wire->descriptor, SHUT_WR) == 0 ? WIRE_ENDED : WIRE_BROKEN;
}

ssize_t wire_discard(const struct wire *wire)
{
    char nowhere[16384];
    return read_plain(wire->descriptor, nowhere, sizeof nowhere);
}

void wire_close(struct wire *wire)
{
    tls_session_destroy(wire->tls);
    if (wire->descriptor >= 0)
        close(wire->descriptor);
    *wire = (struct wire){.descriptor = -1};
}
