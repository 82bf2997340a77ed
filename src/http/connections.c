// The connections of a server, in its list while libmicrohttpd has them, and their deadlines.
#include <assert.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/time.h"
#include "capture/clock.h"
#include "door/door.h"
#include "http/server_inside.h"

enum { MOMENT_MS = 100 };

void connection_set_deadline(struct http_connection *on, int64_t seconds)
{
    atomic_store(&on->deadline_ns, seconds > 0 ? clock_now_ns() + seconds * NS_PER_S : INT64_MAX);
}

void connection_asks(struct http_connection *on)
{
    atomic_store(&on->rests_ns, INT64_MAX);
}

void connection_rests(struct http_connection *on)
{
    atomic_store(&on->rests_ns, clock_now_ns());
    connection_set_deadline(on, REST_S);
}

// Below the lock.
static void end(struct http_server *server, struct http_connection *on)
{
    shutdown(on->descriptor, SHUT_RDWR);
    if (on->ended)
        return;
    on->ended = true;
    assert(server->open[on->is_local] > 0);
    server->open[on->is_local]--;
}

static bool is_crowded(const struct http_server *server, bool local)
{
    return (uint64_t)server->open[local] * 4 > (uint64_t)server->setup.max_connections * 3;
}

bool connection_is_crowded(struct http_server *server, const struct http_connection *on)
{
    pthread_mutex_lock(&server->lock);
    bool crowded = is_crowded(server, on->is_local);
    pthread_mutex_unlock(&server->lock);
    return crowded;
}

static struct http_connection *longest_resting(const struct http_server *server, bool local)
{
    struct http_connection *longest = NULL;
    for (struct http_connection *on = server->connections; on != NULL; on = on->next)
        if (on->is_local == local && !on->ended &&
            (longest == NULL || atomic_load(&on->rests_ns) <= atomic_load(&longest->rests_ns)))
            longest = on;
    return longest;
}

// Below the lock. Who came a moment ago, or has asked and was not read yet, does not rest.
static void make_room(struct http_server *server, bool local)
{
    int64_t now_ns = clock_now_ns();
    while (is_crowded(server, local)) {
        struct http_connection *longest = longest_resting(server, local);
        int unread = 0;
        if (longest == NULL || atomic_load(&longest->rests_ns) > now_ns - MOMENT_MS * NS_PER_MS)
            return;
        if (ioctl(longest->descriptor, FIONREAD, &unread) == 0 && unread > 0)
            atomic_store(&longest->rests_ns, now_ns);
        else
            end(server, longest);
    }
}

struct http_connection *connection_open(struct http_server *server, struct MHD_Connection *connection)
{
    struct http_connection *on = calloc(1, sizeof *on);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (on == NULL)
        return NULL;
    struct peer peer = {0};
    on->descriptor = info->connect_fd;
    on->is_local = door_peer(server->setup.door, on->descriptor, &peer) && peer.local_socket;
    connection_rests(on);
    pthread_mutex_lock(&server->lock);
    on->next = server->connections;
    if (on->next != NULL)
        on->next->previous = on;
    server->connections = on;
    server->open[on->is_local]++;
    make_room(server, on->is_local);
    pthread_mutex_unlock(&server->lock);
    return on;
}

void connection_close(struct http_server *server, struct http_connection *on)
{
    if (on == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    if (on->next != NULL)
        on->next->previous = on->previous;
    if (on->previous != NULL)
        on->previous->next = on->next;
    else
        server->connections = on->next;
    assert(on->ended || server->open[on->is_local] > 0);
    server->open[on->is_local] -= !on->ended;
    pthread_mutex_unlock(&server->lock);
    free(on);
}

void http_server_look(struct http_server *server)
{
    int64_t now_ns = clock_now_ns();
    pthread_mutex_lock(&server->lock);
    for (struct http_connection *on = server->connections; on != NULL; on = on->next)
        if (atomic_load(&on->deadline_ns) < now_ns)
            end(server, on);
    make_room(server, false);
    make_room(server, true);
    pthread_mutex_unlock(&server->lock);
}
