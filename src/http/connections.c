// The connections of a server, in its list while libmicrohttpd has them, and their deadlines.
#include <microhttpd.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/time.h"
#include "capture/clock.h"
#include "http/server_inside.h"

void connection_set_deadline(struct http_connection *on, int64_t seconds)
{
    atomic_store(&on->deadline_ns, seconds > 0 ? clock_now_ns() + seconds * NS_PER_S : INT64_MAX);
}

struct http_connection *connection_open(struct http_server *server, struct MHD_Connection *connection)
{
    struct http_connection *on = calloc(1, sizeof *on);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (on == NULL)
        return NULL;
    on->descriptor = info->connect_fd;
    connection_set_deadline(on, REST_S);
    pthread_mutex_lock(&server->lock);
    on->next = server->connections;
    if (on->next != NULL)
        on->next->previous = on;
    server->connections = on;
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
    pthread_mutex_unlock(&server->lock);
    free(on);
}

void http_server_look(struct http_server *server)
{
    int64_t now_ns = clock_now_ns();
    pthread_mutex_lock(&server->lock);
    for (struct http_connection *on = server->connections; on != NULL; on = on->next)
        if (atomic_load(&on->deadline_ns) < now_ns)
            shutdown(on->descriptor, SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
}
