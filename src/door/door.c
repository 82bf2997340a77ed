#include "door/door.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "base/time.h"
#include "capture/clock.h"
#include "door/certificate.h"
#include "door/door_inside.h"

enum { EVENTS_AT_ONCE = 64 };

// The network's and both of the pair; and what all else of the process may have open.
enum { DESCRIPTORS_OF_ONE = 3, OTHER_DESCRIPTORS = 512 };

const struct door_limits door_usual_limits = {
    .handshake_ms = 10000,
    .http2_ms = 20000,
    .http1_ms = 10000,
    .linger_ms = 2000,
    .pause_ms = 1000,
    .certificate_ms = 5000,
};

static bool open_descriptors(struct door *door)
{
    door->epoll = epoll_create1(EPOLL_CLOEXEC);
    door->orders_event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    door->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return door->epoll >= 0 && door->orders_event >= 0 && door->spare >= 0 &&
           watched_add(&door->orders, door->epoll, door->orders_event, EPOLLIN);
}

struct door *door_create(struct metric_registry *registry, const struct door_limits *limits,
                         struct error *error)
{
    struct door *door = calloc(1, sizeof *door);
    if (door == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory to listen");
        return NULL;
    }
    door->limits = *limits;
    door->registry = registry;
    door->end_ns = INT64_MAX;
    door->orders.kind = WATCHED_ORDERS;
    peers_init(&door->peers);
    pthread_mutex_init(&door->lock, NULL);
    if (open_descriptors(door))
        return door;
    error_set(error, error_kind_of_errno(errno), "cannot listen: %s", strerror(errno));
    door_destroy(door);
    return NULL;
}

void door_tell_own(struct door *door, struct own_connections *own)
{
    assert(!door->runs);
    door->own = own;
}

bool door_listen(struct door *door, const struct door_listener *what, struct error *error)
{
    assert(!door->runs && door->listener_count < DOOR_LISTENERS);
    struct listener *listener = &door->listeners[door->listener_count];
    if (!listener_init(listener, door, what, error)) {
        listener_done(listener);
        return false;
    }
    door->listener_count++;
    return true;
}

static void close_listeners(struct door *door)
{
    for (unsigned i = 0; i < door->listener_count; i++)
        listener_close(&door->listeners[i]);
    connections_close_waiting(door);
}

static void look_at_certificates(struct door *door)
{
    for (unsigned i = 0; i < door->listener_count; i++)
        if (door->listeners[i].certificate != NULL)
            certificate_look(door->listeners[i].certificate);
}

static void obey(struct door *door)
{
    uint64_t count;
    ssize_t got = read(door->orders_event, &count, sizeof count);
    assert(got == sizeof count || errno == EAGAIN);
    if (atomic_exchange(&door->look, false))
        look_at_certificates(door);
    enum door_order order = (enum door_order)atomic_load(&door->order);
    if (order == ORDER_SERVE_NO_MORE && !latch_is_open(&door->accepts_none)) {
        close_listeners(door);
        if (latch_arrive(&door->accepts_none))
            latch_open(&door->accepts_none);
    }
    if (order == ORDER_END && door->end_ns == INT64_MAX)
        door->end_ns = door->now_ns + door->limits.linger_ms * NS_PER_MS;
    door_wake_at(door, door->end_ns);
}

static void handle(struct door *door, const struct epoll_event *event)
{
    const struct watched *watched = event->data.ptr;
    switch (watched->kind) {
    case WATCHED_ORDERS:
        obey(door);
        return;
    case WATCHED_ENTRANCE:
        listener_event(watched->owner, watched);
        return;
    case WATCHED_NETWORK:
        connection_network_event(watched->owner, event->events);
        return;
    case WATCHED_INNER:
        connection_inner_event(watched->owner, event->events);
        return;
    }
    abort();
}

// What is due by time, and when to look again.
static void look(struct door *door, int64_t *certificates_ns)
{
    if (door->now_ns < door->wake_ns)
        return;
    door->wake_ns = INT64_MAX;
    if (door->now_ns >= *certificates_ns) {
        look_at_certificates(door);
        *certificates_ns = door->now_ns + door->limits.certificate_ms * NS_PER_MS;
    }
    door_wake_at(door, *certificates_ns);
    for (unsigned i = 0; i < door->listener_count; i++)
        listener_look(&door->listeners[i]);
    connections_look(door);
}

static int wait_ms(const struct door *door)
{
    int64_t left_ms = (door->wake_ns - door->now_ns) / NS_PER_MS + 1;
    return left_ms < 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

// At the end clients get what their transports have sent, which may be no more than the last word.
static bool is_over(struct door *door)
{
    return door->end_ns != INT64_MAX && (door->now_ns >= door->end_ns || !connections_owe(door));
}

static void *serve(void *argument)
{
    struct door *door = argument;
    struct epoll_event events[EVENTS_AT_ONCE];
    int64_t certificates_ns = 0;
    pthread_setname_np(pthread_self(), "door");
    while (!is_over(door)) {
        int count = epoll_wait(door->epoll, events, EVENTS_AT_ONCE, wait_ms(door));
        assert(count >= 0 || errno == EINTR);
        door->now_ns = clock_now_ns();
        for (int i = 0; i < count; i++)
            handle(door, &events[i]);
        look(door, &certificates_ns);
        connections_free_closed(door);
    }
    return NULL;
}

// The soft limit of 1024 that processes begin with is for programs of select(), which this is not.
static void raise_descriptor_limit(const struct door *door)
{
    struct rlimit limit;
    rlim_t needed = OTHER_DESCRIPTORS;
    for (unsigned i = 0; i < door->listener_count; i++) {
        const struct listener *listener = &door->listeners[i];
        rlim_t entrances = (rlim_t)(listener->port_descriptor >= 0) + (listener->local.descriptor >= 0);
        needed += DESCRIPTORS_OF_ONE * entrances * listener->most;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return;
    limit.rlim_cur = needed < limit.rlim_max ? needed : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < needed)
        log_warning(
            "door",
            "max_connections may need %llu descriptors, but %llu are allowed: raise the limit (ulimit "
            "-n), or lower the setting",
            (unsigned long long)needed, (unsigned long long)limit.rlim_cur);
}

bool door_start(struct door *door, struct error *error)
{
    assert(!door->runs);
    raise_descriptor_limit(door);
    for (unsigned i = 0; i < door->listener_count; i++)
        if (!listener_watch(&door->listeners[i]))
            return error_set(error, ERROR_EXHAUSTED, "no memory to listen");
    if (!door_counts_add(door, door->registry))
        return error_set(error, ERROR_INTERNAL, "no place for the counters of the door");
    door->runs = thread_start(&door->thread, serve, door);
    return door->runs || error_set(error, ERROR_EXHAUSTED, "no thread to listen on: %s", thread_shortage());
}

static void wake(struct door *door)
{
    uint64_t one = 1;
    ssize_t put = write(door->orders_event, &one, sizeof one);
    assert(put == sizeof one);
}

static void give_order(struct door *door, enum door_order order)
{
    atomic_store(&door->order, (int)order);
    wake(door);
}

void door_look_at_certificates(struct door *door)
{
    atomic_store(&door->look, true);
    wake(door);
}

void door_stop_accepting(struct door *door)
{
    pthread_mutex_lock(&door->lock);
    if (!door->stopped && door->runs) {
        latch_close(&door->accepts_none, 1);
        give_order(door, ORDER_SERVE_NO_MORE);
        latch_wait(&door->accepts_none, -1);
    } else if (!door->stopped) {
        close_listeners(door);
    }
    door->stopped = true;
    pthread_mutex_unlock(&door->lock);
}

void door_destroy(struct door *door)
{
    if (door == NULL)
        return;
    if (door->runs) {
        give_order(door, ORDER_END);
        pthread_join(door->thread, NULL);
    }
    door_counts_remove(door, door->registry);
    connections_close_all(door);
    for (unsigned i = 0; i < door->listener_count; i++)
        listener_done(&door->listeners[i]);
    const int own[] = {door->epoll, door->orders_event, door->spare};
    for (unsigned i = 0; i < sizeof own / sizeof own[0]; i++)
        if (own[i] >= 0)
            close(own[i]);
    peers_done(&door->peers);
    pthread_mutex_destroy(&door->lock);
    free(door);
}

bool door_peer(struct door *door, int descriptor, struct peer *out)
{
    return peers_find(&door->peers, descriptor, out);
}

uint16_t door_port(const struct door *door, const char *name)
{
    for (unsigned i = 0; i < door->listener_count; i++)
        if (strcmp(door->listeners[i].name, name) == 0)
            return door->listeners[i].port;
    return 0;
}
