#include "capture/live/live_source.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "capture/clock.h"
#include "capture/live/live_drain.h"
#include "capture/live/live_frames.h"
#include "capture/live/live_set.h"

enum { CHUNK_READY_BYTES = 16 * 1024, GONE_WAIT_MS = 5, OTHER_FDS = 2, UNWATCHED_POLLS = 64 };
static const int64_t count_every_ns = NS_PER_S; // libpcap reads files of /sys for it

enum live_state { LIVE_RUNNING, LIVE_DRAINING, LIVE_ENDED };
enum stop_wish { STOP_NOT, STOP_DRAIN, STOP_AT_ONCE };

struct live_source {
    struct source source;
    struct live_set set;
    struct live_frames frames;
    struct live_drain drain;
    unsigned turn; // the handle that is read first
    enum live_state state;
    unsigned unwatched; // polls since the links and sockets were last looked at
    atomic_int stop;    // enum stop_wish
    int stop_fd;
    enum error_kind verdict;
    struct error error;
};

static struct live_source *live_of(struct source *source)
{
    return (struct live_source *)source;
}

static const struct live_source *const_live_of(const struct source *source)
{
    return (const struct live_source *)source;
}

// --- Reading ---

// An error of the socket is read off here, else poll() would return at once for ever. ENETDOWN is no more
// than news: the socket goes on when the interface comes up again.
static void take_socket_error(struct live_source *source, struct live_handle *handle)
{
    int problem = 0;
    socklen_t length = sizeof problem;
    getsockopt(handle->fd, SOL_SOCKET, SO_ERROR, &problem, &length);
    source->set.retry_at_ns = 0;
}

// A handle whose interface is gone and whose ring is empty.
static void remove_gone(struct live_source *source, unsigned at)
{
    live_set_remove(&source->set, at);
    if (live_set_is_pending(&source->set))
        return;
    source->state = LIVE_ENDED;
    source->verdict = ERROR_NOT_FOUND;
    error_set(&source->error, ERROR_NOT_FOUND,
              "no interface is left to capture on: the last one was removed (with capture.on_missing: wait "
              "it is waited for)");
}

static void read_handle(struct live_source *source, unsigned at)
{
    struct live_handle *handle = source->set.handles[at];
    int room = (int)live_frames_left(&source->frames);
    unsigned got = live_handle_read(handle, room, live_frames_take, &source->frames);
    if (got > 0)
        return;
    if (handle->gone && clock_now_ns() >= handle->gone_until_ns)
        remove_gone(source, at);
    else if (handle->failed)
        live_set_mend(&source->set, handle);
}

static void read_handles(struct live_source *source)
{
    unsigned first = source->turn++;
    unsigned count = source->set.handles_count;
    for (unsigned i = 0; i < count && live_frames_left(&source->frames) > 0; i++) {
        unsigned at = (first + i) % count;
        if (at < source->set.handles_count && source->set.handles[at]->pcap != NULL)
            read_handle(source, at);
    }
}

// --- Polling ---

// How long the handles allow to sleep.
static int handles_wait_ms(const struct live_source *source)
{
    int wait_ms = INT_MAX;
    for (unsigned i = 0; i < source->set.handles_count; i++) {
        const struct live_handle *handle = source->set.handles[i];
        if (handle->pcap != NULL && handle->more)
            return 0;
        if (handle->pcap != NULL && handle->gone)
            wait_ms = GONE_WAIT_MS;
    }
    return wait_ms;
}

static int wait_ms(const struct live_source *source, int timeout_ms)
{
    int64_t wait_ms = (source->set.retry_at_ns - clock_now_ns()) / NS_PER_MS + 1;
    int handles_ms = handles_wait_ms(source);
    if (handles_ms < wait_ms)
        wait_ms = handles_ms;
    if (timeout_ms >= 0 && timeout_ms < wait_ms)
        wait_ms = timeout_ms;
    return wait_ms > 0 ? (int)wait_ms : 0;
}

// Sleeps until a frame, a change of the links, the stop, or the timeout. Whether there may be something to read.
static bool await(struct live_source *source, int timeout_ms)
{
    struct pollfd fds[LIVE_INTERFACES_MAX + OTHER_FDS];
    struct live_handle *waited[LIVE_INTERFACES_MAX + OTHER_FDS];
    fds[0] = (struct pollfd){.fd = link_watch_fd(source->set.links), .events = POLLIN};
    fds[1] = (struct pollfd){.fd = source->stop_fd, .events = POLLIN};
    nfds_t count = OTHER_FDS;
    for (unsigned i = 0; i < source->set.handles_count; i++) {
        struct live_handle *handle = source->set.handles[i];
        if (handle->pcap == NULL || handle->finished)
            continue;
        waited[count] = handle;
        fds[count++] = (struct pollfd){.fd = handle->fd, .events = POLLIN};
    }
    int ready = poll(fds, count, timeout_ms);
    if (ready <= 0)
        return ready < 0 || handles_wait_ms(source) < INT_MAX;
    for (nfds_t i = OTHER_FDS; i < count; i++)
        if ((fds[i].revents & POLLERR) != 0)
            take_socket_error(source, waited[i]);
    if (fds[0].revents != 0) {
        link_watch_read(source->set.links);
        source->set.retry_at_ns = 0;
    }
    return true;
}

static enum source_result poll_draining(struct live_source *source, int timeout_ms)
{
    bool keep = atomic_load(&source->stop) == STOP_DRAIN;
    if (live_drain_read(&source->drain, &source->set, &source->frames, keep))
        source->state = LIVE_ENDED;
    if (source->frames.count > 0)
        return SOURCE_FRAMES;
    if (source->state == LIVE_ENDED)
        return SOURCE_END;
    live_drain_wait(&source->drain, timeout_ms);
    return SOURCE_IDLE;
}

// Nothing to wait for while a ring is known to hold more; links and sockets are looked at now and then. Whether
// there may be something to read.
static bool watch(struct live_source *source, int timeout_ms)
{
    if (handles_wait_ms(source) == 0 && ++source->unwatched < UNWATCHED_POLLS)
        return true;
    source->unwatched = 0;
    bool ready = await(source, wait_ms(source, timeout_ms));
    if (clock_now_ns() >= source->set.retry_at_ns)
        live_set_follow(&source->set);
    return ready;
}

static enum source_result poll_running(struct live_source *source, int timeout_ms)
{
    if (watch(source, timeout_ms))
        read_handles(source);
    return source->frames.count > 0 ? SOURCE_FRAMES : SOURCE_IDLE;
}

static enum source_result live_poll(struct source *base, int timeout_ms, struct frame *frames,
                                    unsigned capacity, unsigned *count)
{
    struct live_source *source = live_of(base);
    live_frames_begin(&source->frames, frames, capacity);
    *count = 0;
    if (source->state == LIVE_RUNNING && atomic_load(&source->stop) != STOP_NOT) {
        live_drain_begin(&source->drain, &source->set);
        source->state = LIVE_DRAINING;
    }
    if (source->state == LIVE_ENDED)
        return SOURCE_END;
    if (!live_frames_make_room(&source->frames, CHUNK_READY_BYTES, timeout_ms))
        return SOURCE_IDLE;
    enum source_result result =
        source->state == LIVE_DRAINING ? poll_draining(source, timeout_ms) : poll_running(source, timeout_ms);
    *count = source->frames.count;
    return result;
}

// --- The row ---

static unsigned live_interfaces(const struct source *source)
{
    return interface_list_count(&const_live_of(source)->set.rows);
}

static const struct source_interface *live_interface(const struct source *source, unsigned index)
{
    return &const_live_of(source)->set.rows.rows[index]->shown;
}

static void live_drops(struct source *base, unsigned interface, struct source_drops *out)
{
    struct live_source *source = live_of(base);
    int64_t now_ns = clock_now_ns();
    for (unsigned i = 0; i < source->set.handles_count; i++) {
        struct live_handle *handle = source->set.handles[i];
        bool due = source->state != LIVE_RUNNING || now_ns >= handle->counted_at_ns + count_every_ns;
        if (handle->interface == interface && due) {
            live_handle_count(handle);
            handle->counted_at_ns = now_ns;
        }
    }
    *out = source->set.rows.rows[interface]->drops;
}

static void live_stop(struct source *base, bool drain)
{
    struct live_source *source = live_of(base);
    atomic_store(&source->stop, drain ? STOP_DRAIN : STOP_AT_ONCE);
    uint64_t one = 1;
    int saved = errno;
    ssize_t written = write(source->stop_fd, &one, sizeof one);
    (void)written; // full = it was said before
    errno = saved;
}

static enum error_kind live_verdict(const struct source *base, struct error *error)
{
    const struct live_source *source = const_live_of(base);
    if (source->verdict != ERROR_NONE)
        *error = source->error;
    return source->verdict;
}

static void live_destroy(struct source *base)
{
    struct live_source *source = live_of(base);
    live_frames_done(&source->frames);
    live_set_close(&source->set);
    if (source->stop_fd >= 0)
        close(source->stop_fd);
    free(source);
}

static const struct source_ops live_ops = {
    .name = "live",
    .lossless = false,
    .poll = live_poll,
    .interfaces = live_interfaces,
    .interface = live_interface,
    .drops = live_drops,
    .stop = live_stop,
    .verdict = live_verdict,
    .destroy = live_destroy,
};

struct source *live_source_create(const struct capture_settings *settings, struct chunk_pool *pool,
                                  struct error *error)
{
    struct live_source *source = calloc(1, sizeof *source);
    if (source == NULL) {
        error_set(error, ERROR_EXHAUSTED, "the live capture finds no memory");
        return NULL;
    }
    source->source.ops = &live_ops;
    live_frames_init(&source->frames, pool);
    source->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!live_set_open(&source->set, settings, error)) {
        live_destroy(&source->source);
        return NULL;
    }
    return &source->source;
}

const char *live_source_reason(const struct source *source)
{
    assert(source->ops == &live_ops);
    return const_live_of(source)->set.reason;
}

bool live_source_link_name(const struct source *source, uint32_t kernel_index, char name[IF_NAMESIZE])
{
    assert(source->ops == &live_ops);
    const struct link *link = link_by_index(const_live_of(source)->set.links, kernel_index);
    if (link != NULL)
        memcpy(name, link->name, IF_NAMESIZE);
    return link != NULL;
}
