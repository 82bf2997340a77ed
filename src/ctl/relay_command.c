// relay: joins standard input and output to the sensor's unix socket. What comes is bytes, whatever they mean: a client
// elsewhere speaks gRPC through `kubectl exec -i POD -- netscopectl relay`.
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "ctl/complaint.h"
#include "ctl/connection.h"
#include "ctl/interrupt.h"
#include "ctl/invocation.h"

// A pipe that is ready takes PIPE_BUF bytes without waiting, and waiting in one direction would hold up the other.
enum { RELAY_BYTES = 64 << 10, PORTION_BYTES = PIPE_BUF, INTO_SOCKET = 0, OUT_OF_SOCKET = 1 };

// Bytes of one direction.
struct pump {
    int from, to;
    bool to_socket;
    bool ended;  // nothing more comes
    bool closed; // which the other side knows
    size_t first, last;
    char bytes[RELAY_BYTES];
};

static bool is_over(const struct pump *pump)
{
    return pump->ended && pump->first == pump->last;
}

// False: the other side is gone.
static bool pump_out(struct pump *pump)
{
    assert(pump->first < pump->last && pump->last <= sizeof pump->bytes);
    size_t length = pump->last - pump->first;
    const char *bytes = pump->bytes + pump->first;
    ssize_t written = pump->to_socket
                          ? send(pump->to, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL)
                          : write(pump->to, bytes, length < PORTION_BYTES ? length : PORTION_BYTES);
    if (written < 0)
        return errno == EAGAIN || errno == EINTR;
    pump->first += (size_t)written;
    return true;
}

static void pump_in(struct pump *pump)
{
    assert(pump->first == pump->last && !pump->ended); // or bytes would be lost
    ssize_t length = read(pump->from, pump->bytes, sizeof pump->bytes);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    pump->first = 0;
    pump->last = length > 0 ? (size_t)length : 0;
    pump->ended = length <= 0;
}

// The other side learns that nothing more comes, and may go on telling.
static void close_half(struct pump *pump)
{
    if (pump->closed || !is_over(pump))
        return;
    pump->closed = true;
    if (pump->to_socket)
        shutdown(pump->to, SHUT_WR);
    else
        close(pump->to);
}

static struct pollfd what_to_await(const struct pump *pump)
{
    if (pump->first < pump->last)
        return (struct pollfd){.fd = pump->to, .events = POLLOUT};
    return (struct pollfd){.fd = pump->ended ? -1 : pump->from, .events = POLLIN};
}

// Until the socket has nothing more to tell.
static bool pump_both(struct pump pumps[2])
{
    while (!is_over(&pumps[OUT_OF_SOCKET]) && !interrupted()) {
        struct pollfd awaited[2];
        for (unsigned i = 0; i < 2; i++) {
            close_half(&pumps[i]);
            awaited[i] = what_to_await(&pumps[i]);
        }
        if (poll(awaited, 2, -1) < 0 && errno != EINTR)
            return false;
        for (unsigned i = 0; i < 2; i++) {
            if (awaited[i].revents == 0)
                continue;
            if (pumps[i].first == pumps[i].last)
                pump_in(&pumps[i]);
            else if (!pump_out(&pumps[i]))
                return true;
        }
    }
    return true;
}

static int connect_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, length);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor >= 0 && connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0)
        return descriptor;
    int reason = errno;
    if (descriptor >= 0)
        close(descriptor);
    errno = reason;
    return -1;
}

enum ctl_exit run_relay(const struct invocation *given)
{
    static struct pump pumps[2];
    const char *path = given_text(given, "socket");
    path = path != NULL ? path : CONNECTION_SOCKET;
    int descriptor = connect_socket(path);
    if (descriptor < 0) {
        char sentence[512];
        snprintf(sentence, sizeof sentence,
                 "cannot connect to the sensor's socket %s: %s. Is it running with --grpc --grpc-socket %s?",
                 path, strerror(errno), path);
        complain(sentence);
        return CTL_UNREACHABLE;
    }
    signal(SIGPIPE, SIG_IGN);
    pumps[INTO_SOCKET].from = STDIN_FILENO;
    pumps[INTO_SOCKET].to_socket = true;
    pumps[INTO_SOCKET].to = pumps[OUT_OF_SOCKET].from = descriptor;
    pumps[OUT_OF_SOCKET].to = STDOUT_FILENO;
    bool fine = pump_both(pumps);
    close(descriptor);
    return fine ? CTL_DONE : CTL_OUTPUT;
}
