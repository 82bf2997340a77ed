#include "door/listener.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "door/certificate.h"
#include "door/door_inside.h"

enum { ACCEPTS_AT_ONCE = 16, ADDRESS_SHARE = 4, KEPT_SHARE = 16, SITE_BYTES = 8 };

// A peer that is gone is found out in a minute, and one that takes nothing for so long is gone, too.
enum { KEEPALIVE_IDLE_S = 30, KEEPALIVE_INTERVAL_S = 10, KEEPALIVE_PROBES = 3, USER_TIMEOUT_MS = 60000 };

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool set_option(int descriptor, int level, int option, int value)
{
    return setsockopt(descriptor, level, option, &value, sizeof value) == 0;
}

static socklen_t fill_address(union socket_address *into, const struct address *address, uint16_t port)
{
    *into = (union socket_address){0};
    if (address->version == 4) {
        into->v4.sin_family = AF_INET;
        into->v4.sin_port = htons(port);
        memcpy(&into->v4.sin_addr, address->bytes, 4);
        return sizeof into->v4;
    }
    into->v6.sin6_family = AF_INET6;
    into->v6.sin6_port = htons(port);
    memcpy(&into->v6.sin6_addr, address->bytes, 16);
    return sizeof into->v6;
}

static struct endpoint endpoint_of(const union socket_address *from)
{
    if (from->any.sa_family == AF_INET) {
        uint8_t bytes[4];
        memcpy(bytes, &from->v4.sin_addr, sizeof bytes);
        return (struct endpoint){address_v4(bytes), ntohs(from->v4.sin_port)};
    }
    const uint8_t *bytes = from->v6.sin6_addr.s6_addr;
    struct address address = address_v6(bytes);
    return (struct endpoint){address_plain(&address), ntohs(from->v6.sin6_port)};
}

// "::" is for IPv4 as well, whatever the system's default.
static bool bind_port(struct listener *listener, const struct address *address)
{
    union socket_address local;
    uint16_t port = (uint16_t)listener->settings->port;
    socklen_t length = fill_address(&local, address, port);
    int descriptor = socket(local.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    listener->port_descriptor = descriptor;
    if (descriptor < 0 || !set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1) ||
        (address->version == 6 && !set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0)))
        return false;
    if (bind(descriptor, &local.any, length) != 0 || listen(descriptor, SOMAXCONN) != 0 ||
        getsockname(descriptor, &local.any, &length) != 0)
        return false;
    struct endpoint bound = endpoint_of(&local);
    char text[ENDPOINT_TEXT_BYTES];
    listener->port = bound.port;
    log_info("door", "%s listens on %s", listener->name, endpoint_format(&bound, text));
    return true;
}

static const char *advice(int number)
{
    switch (number) {
    case EADDRINUSE:
        return "another process has the port: stop it, or choose another";
    case EADDRNOTAVAIL:
        return "no interface has the address: choose another";
    case EACCES:
        return "ports below 1024 need CAP_NET_BIND_SERVICE: choose another";
    default:
        return "choose another address or port";
    }
}

static bool open_port(struct listener *listener, struct error *error)
{
    struct endpoint where = {.port = (uint16_t)listener->settings->port};
    char text[ENDPOINT_TEXT_BYTES];
    if (listener->settings->bind[0] == '\0')
        return true;
    if (!address_parse(listener->settings->bind, &where.address))
        return error_set(error, ERROR_INVALID_ARGUMENT, "%s.bind (%s) is no address", listener->name,
                         listener->settings->bind);
    return bind_port(listener, &where.address) ||
           error_set(error, error_kind_of_errno(errno), "%s cannot listen on %s: %s; %s", listener->name,
                     endpoint_format(&where, text), strerror(errno), advice(errno));
}

bool listener_init(struct listener *listener, struct door *door, const struct door_listener *what,
                   struct error *error)
{
    const struct listener_settings *settings = what->settings;
    *listener = (struct listener){.door = door,
                                  .name = what->name,
                                  .settings = settings,
                                  .most = what->max_connections > 0 ? what->max_connections
                                                                    : settings->max_connections,
                                  .protocol = what->protocol,
                                  .take = what->take,
                                  .taker = what->taker,
                                  .port_descriptor = -1,
                                  .local = {.descriptor = -1},
                                  .port_watched = {WATCHED_ENTRANCE, listener},
                                  .local_watched = {WATCHED_ENTRANCE, listener}};
    if (settings->tls.enabled && settings->bind[0] != '\0') {
        struct certificate_setup setup = {what->name, settings, what->protocol == DOOR_HTTP2};
        listener->certificate = certificate_create(&setup, error);
        if (listener->certificate == NULL)
            return false;
    }
    return open_port(listener, error) &&
           (settings->socket[0] == '\0' ||
            local_socket_open(&listener->local, what->name, settings->socket, error));
}

void listener_close(struct listener *listener)
{
    if (listener->port_descriptor >= 0)
        close(listener->port_descriptor);
    listener->port_descriptor = -1;
    local_socket_close(&listener->local);
}

void listener_done(struct listener *listener)
{
    listener_close(listener);
    certificate_destroy(listener->certificate);
    listener->certificate = NULL;
}

bool listener_watch(struct listener *listener)
{
    int epoll = listener->door->epoll;
    return (listener->port_descriptor < 0 ||
            watched_add(&listener->port_watched, epoll, listener->port_descriptor, EPOLLIN)) &&
           (listener->local.descriptor < 0 ||
            watched_add(&listener->local_watched, epoll, listener->local.descriptor, EPOLLIN));
}

static void watch_for(struct listener *listener, uint32_t events)
{
    int epoll = listener->door->epoll;
    if (listener->port_descriptor >= 0)
        watched_again(&listener->port_watched, epoll, listener->port_descriptor, events);
    if (listener->local.descriptor >= 0)
        watched_again(&listener->local_watched, epoll, listener->local.descriptor, events);
}

void listener_look(struct listener *listener)
{
    if (listener->resume_ns == 0)
        return;
    if (listener->resume_ns > listener->door->now_ns) {
        door_wake_at(listener->door, listener->resume_ns);
        return;
    }
    listener->resume_ns = 0;
    watch_for(listener, EPOLLIN);
}

// The process has no more descriptors: the spare one is given up so that whoever waits is told, not left waiting, and
// accepting rests for a while.
static void turn_away(struct listener *listener, int entrance)
{
    struct door *door = listener->door;
    assert(listener->resume_ns == 0);
    count_more(&listener->counts.refused[REFUSED_DESCRIPTORS]);
    close(door->spare);
    int descriptor = accept4(entrance, NULL, NULL, SOCK_CLOEXEC);
    if (descriptor >= 0)
        close(descriptor);
    door->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    listener->resume_ns = door->now_ns + door->limits.pause_ms * NS_PER_MS;
    watch_for(listener, 0);
    door_wake_at(door, listener->resume_ns);
}

static void describe_port_peer(int descriptor, const union socket_address *from, bool tls, struct peer *peer)
{
    union socket_address here;
    socklen_t length = sizeof here;
    peer->endpoint = endpoint_of(from);
    if (getsockname(descriptor, &here.any, &length) == 0)
        peer->here = endpoint_of(&here);
    peer->loopback = address_is_loopback(&peer->endpoint.address);
    peer->tls = tls;
}

static void describe_local_peer(int descriptor, struct peer *peer)
{
    struct ucred credentials = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    socklen_t length = sizeof credentials;
    getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length);
    peer->local_socket = true;
    peer->uid = credentials.uid;
    peer->gid = credentials.gid;
    peer->pid = credentials.pid;
}

// What connections are counted by: an address of IPv4, the /64 of one of IPv6, which has one owner. Version 0 for who is
// not counted.
static struct address site_of(const struct peer *peer)
{
    struct address site = peer->endpoint.address;
    if (peer->local_socket || peer->loopback)
        return (struct address){0};
    if (site.version == 6)
        memset(site.bytes + SITE_BYTES, 0, sizeof site.bytes - SITE_BYTES);
    return site;
}

static uint32_t open_of(const struct listener *listener, const struct address *site)
{
    uint32_t count = 0;
    for (const struct connection *one = listener->door->connections; one != NULL && site->version != 0;
         one = one->next)
        count += one->listener == listener && address_compare(&one->address, site) == 0;
    return count;
}

// Each entrance has places of its own: who fills the port does not lock out the host's own users, nor they others. The last
// ones of the port are for addresses that have none.
static bool is_full(const struct listener *listener, bool local, uint32_t of_site)
{
    uint64_t open = count_of(&listener->counts.open);
    uint32_t kept = of_site > 0 ? listener->most / KEPT_SHARE : 0;
    assert(open >= listener->local_open);
    return (local ? listener->local_open : open - listener->local_open) >= listener->most - kept;
}

// Who lingers was told the end, and makes room.
static bool finds_no_place(struct listener *listener, bool local, uint32_t of_site)
{
    while (is_full(listener, local, of_site))
        if (!connections_end_lingering(listener, local))
            return true;
    return false;
}

static void set_socket_options(int descriptor)
{
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
    set_option(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
}

static void admit(struct listener *listener, int descriptor, const struct peer *peer)
{
    struct address site = site_of(peer);
    uint32_t of_site = open_of(listener, &site), share = (listener->most + ADDRESS_SHARE - 1) / ADDRESS_SHARE;
    bool over_share = of_site >= share; // then nobody makes room for it
    if (over_share || finds_no_place(listener, peer->local_socket, of_site)) {
        count_more(&listener->counts.refused[over_share ? REFUSED_ADDRESS : REFUSED_CONNECTIONS]);
        close(descriptor);
        return;
    }
    if (!peer->local_socket)
        set_socket_options(descriptor);
    connection_begin(listener, descriptor, peer, &site);
}

// Whether there may be more.
static bool accept_one(struct listener *listener, int entrance)
{
    union socket_address from;
    socklen_t length = sizeof from;
    bool is_port = entrance == listener->port_descriptor;
    int descriptor = accept4(entrance, &from.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
        bool none_left = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        if (none_left)
            turn_away(listener, entrance);
        return !none_left && errno != EAGAIN;
    }
    struct peer peer = {0};
    if (is_port)
        describe_port_peer(descriptor, &from, listener->certificate != NULL, &peer);
    else
        describe_local_peer(descriptor, &peer);
    admit(listener, descriptor, &peer);
    return true;
}

void listener_event(struct listener *listener, const struct watched *entrance)
{
    assert(entrance == &listener->port_watched || entrance == &listener->local_watched);
    int descriptor =
        entrance == &listener->port_watched ? listener->port_descriptor : listener->local.descriptor;
    // What was told before it closed, or before a pause that the other entrance began, is late.
    bool is_over = descriptor < 0 || listener->resume_ns != 0;
    for (unsigned i = 0; i < ACCEPTS_AT_ONCE && !is_over; i++)
        is_over = !accept_one(listener, descriptor);
}
