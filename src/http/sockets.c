#include "http/sockets.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/poll.h>
#include <unistd.h>

#include "base/thread.h"
#include "base/time.h"
#include "capture/clock.h"
#include "http/server_inside.h"
#include "http/socket_stream.h"

enum { LOOK_MS = 1000 };

struct sockets {
    struct stream_room room;
    pthread_t thread;
    bool has_thread;
    struct socket_stream *fresh; // below the room's lock: not seen by the thread yet
    bool over;                   // likewise: nothing is taken any more
    struct socket_stream *streams;
    unsigned count;
    struct pollfd *polled; // the event, then the streams in their order
    unsigned polled_room;
    int64_t looked_ns;      // when all had their turn last
    _Atomic int64_t end_ns; // of all, at the latest; 0 = not yet
};

static void wake(struct sockets *sockets)
{
    ssize_t written = write(sockets->room.event, &(uint64_t){1}, sizeof(uint64_t));
    (void)written;
}

void sockets_take(struct sockets *sockets, struct socket_stream *stream, const struct upgraded *upgraded)
{
    if (!socket_stream_open(stream, &sockets->room, upgraded, clock_now_ns())) {
        socket_stream_destroy(stream);
        return;
    }
    pthread_mutex_lock(&sockets->room.lock);
    bool taken = !sockets->over;
    if (taken) {
        stream->next = sockets->fresh;
        sockets->fresh = stream;
    }
    pthread_mutex_unlock(&sockets->room.lock);
    if (taken)
        wake(sockets);
    else
        socket_stream_destroy(stream);
}

static void take_fresh(struct sockets *sockets)
{
    pthread_mutex_lock(&sockets->room.lock);
    while (sockets->fresh != NULL) {
        struct socket_stream *stream = sockets->fresh;
        sockets->fresh = stream->next;
        stream->next = sockets->streams;
        sockets->streams = stream;
        sockets->count++;
    }
    pthread_mutex_unlock(&sockets->room.lock);
}

static bool make_room(struct sockets *sockets)
{
    unsigned needed = sockets->count + 1;
    if (needed <= sockets->polled_room)
        return true;
    struct pollfd *more = realloc(sockets->polled, (size_t)needed * 2 * sizeof *more);
    if (more == NULL)
        return false;
    sockets->polled = more;
    sockets->polled_room = needed * 2;
    return true;
}

// Those that find no place to be polled have their turn each second.
static unsigned fill_polled(struct sockets *sockets)
{
    unsigned filled = 1;
    make_room(sockets);
    sockets->polled[0] = (struct pollfd){.fd = sockets->room.event, .events = POLLIN};
    for (struct socket_stream *stream = sockets->streams; stream != NULL && filled < sockets->polled_room;
         stream = stream->next, filled++) {
        bool gone = stream->stage == STAGE_GONE;
        sockets->polled[filled] =
            (struct pollfd){.fd = gone ? -1 : stream->descriptor, .events = socket_stream_events(stream)};
    }
    return filled;
}

// What the end of all means for one.
static void hurry(struct socket_stream *stream, int64_t now_ns, int64_t end_ns)
{
    socket_stream_go_away(stream, now_ns);
    if (now_ns > end_ns)
        socket_stream_cut(stream);
}

// Those of whom there is news, and each second, or in the end, all: some may be late.
static void turn_all(struct sockets *sockets, unsigned filled)
{
    int64_t now_ns = clock_now_ns(), end_ns = atomic_load(&sockets->end_ns);
    bool all = end_ns != 0 || now_ns - sockets->looked_ns >= LOOK_MS * NS_PER_MS;
    unsigned place = 1;
    if (all)
        sockets->looked_ns = now_ns;
    for (struct socket_stream **at = &sockets->streams; *at != NULL; place++) {
        struct socket_stream *stream = *at;
        short events = place < filled ? sockets->polled[place].revents : POLLIN;
        bool has_news = socket_stream_has_news(stream) || events != 0;
        if (end_ns != 0)
            hurry(stream, now_ns, end_ns);
        if (has_news || all)
            socket_stream_turn(stream, (events & (POLLIN | POLLHUP | POLLERR)) != 0, now_ns);
        if (!socket_stream_is_over(stream)) {
            at = &stream->next;
            continue;
        }
        *at = stream->next;
        assert(sockets->count > 0);
        sockets->count--;
        socket_stream_destroy(stream);
    }
}

// From then on nothing is taken.
static bool ends(struct sockets *sockets)
{
    pthread_mutex_lock(&sockets->room.lock);
    sockets->over = sockets->fresh == NULL;
    pthread_mutex_unlock(&sockets->room.lock);
    return sockets->over;
}

static void *run(void *argument)
{
    struct sockets *sockets = argument;
    uint64_t rings;
    pthread_setname_np(pthread_self(), "websockets");
    for (;;) {
        unsigned filled = fill_polled(sockets);
        bool soon = atomic_load(&sockets->end_ns) != 0;
        poll(sockets->polled, filled, soon ? LOOK_MS / 50 : LOOK_MS);
        if ((sockets->polled[0].revents & POLLIN) != 0 && read(sockets->room.event, &rings, sizeof rings) < 0)
            continue;
        turn_all(sockets, filled);
        take_fresh(sockets);
        if (soon && sockets->streams == NULL && ends(sockets))
            return NULL;
    }
}

struct sockets *sockets_create(struct http_server *server, struct error *error)
{
    struct sockets *sockets = calloc(1, sizeof *sockets);
    if (sockets == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for WebSockets");
        return NULL;
    }
    pthread_mutex_init(&sockets->room.lock, NULL);
    sockets->room.runner = server->setup.runner;
    sockets->room.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sockets->has_thread =
        sockets->room.event >= 0 && make_room(sockets) && thread_start(&sockets->thread, run, sockets);
    if (sockets->has_thread)
        return sockets;
    error_set(error, ERROR_EXHAUSTED, "no thread for WebSockets: %s", thread_shortage());
    sockets_destroy(sockets);
    return NULL;
}

void sockets_announce_end(struct sockets *sockets, int grace_ms)
{
    int64_t none = 0;
    if (sockets == NULL)
        return;
    atomic_compare_exchange_strong(&sockets->end_ns, &none, clock_now_ns() + grace_ms * NS_PER_MS);
    wake(sockets);
}

void sockets_end(struct sockets *sockets)
{
    sockets_announce_end(sockets, 0);
    if (sockets != NULL && sockets->has_thread) {
        pthread_join(sockets->thread, NULL);
        sockets->has_thread = false;
    }
}

void sockets_destroy(struct sockets *sockets)
{
    if (sockets == NULL)
        return;
    sockets_end(sockets);
    assert(sockets->streams == NULL && sockets->fresh == NULL);
    if (sockets->room.event >= 0)
        close(sockets->room.event);
    pthread_mutex_destroy(&sockets->room.lock);
    free(sockets->polled);
    free(sockets);
}
