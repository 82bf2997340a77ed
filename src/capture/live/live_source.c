#include "capture/live/live_source.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "capture/clock.h"
#include "capture/live/live_drain.h"
#include "capture/live/live_filter.h"
#include "capture/live/live_frames.h"
#include "capture/live/live_keeper.h"

enum { CHUNK_READY_BYTES = 16 * 1024, LEAVE_WAIT_MS = 5, EVENTS = 64 };
// Polls between two looks at the sockets while rings are known to hold more: alone, and beside others.
enum { UNWATCHED_ALONE = 64, UNWATCHED_BESIDE = 4 };
static const int64_t count_every_ns = NS_PER_S;

enum live_state { LIVE_RUNNING, LIVE_DRAINING, LIVE_ENDED };
enum stop_wish { STOP_NOT, STOP_DRAIN, STOP_AT_ONCE };

struct live_source {
    struct source source;
    struct live_keeper keeper;
    struct live_frames frames;
    int epoll_fd;
    struct live_handle *handles[LIVE_INTERFACES_MAX]; // those that the source has
    unsigned handles_count;
    unsigned turn;          // the handle that is read first
    unsigned told;          // the handle whose drops are told next
    unsigned unwatched;     // polls since the sockets were last looked at
    bool eager;             // some ring is known to hold more
    unsigned leaving, left; // handles that are read to their end; that were
    enum live_state state;
    atomic_int stop; // enum stop_wish
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

// --- Handles come and go ---

static bool watch_fd(struct live_source *source, int fd, struct live_handle *handle)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = handle};
    return epoll_ctl(source->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void take_handles(struct live_source *source)
{
    struct live_handle *handle;
    while ((handle = live_exchange_take(&source->keeper.exchange)) != NULL) {
        assert(source->handles_count < LIVE_INTERFACES_MAX);
        source->handles[source->handles_count++] = handle;
        if (!watch_fd(source, handle->fd, handle)) // no memory or too many: the keeper tries again
            atomic_store(&handle->wish, LIVE_ABANDON);
        handle->ready = true;
    }
}

static void begin_leaving(struct live_source *source, struct live_handle *handle, enum live_wish how)
{
    live_drain_begin(handle, how, clock_now_ns());
    source->leaving++;
}

// The keeper has something, or wants something of handles.
static void hear_keeper(struct live_source *source)
{
    live_exchange_heard(source->keeper.exchange.source_fd);
    if (source->state != LIVE_RUNNING)
        return; // what comes now is closed unread, and in no ledger
    take_handles(source);
    for (unsigned i = 0; i < source->handles_count; i++) {
        struct live_handle *handle = source->handles[i];
        enum live_wish wish = (enum live_wish)atomic_load(&handle->wish);
        if (wish == LIVE_READ)
            live_filter_take(handle);
        else if (handle->leave_ns == 0)
            begin_leaving(source, handle, wish);
    }
}

// Handles that are read to their end, and whose last counts were taken, go back.
static void return_handles(struct live_source *source)
{
    for (unsigned i = source->handles_count; source->left > 0 && i-- > 0;) {
        struct live_handle *handle = source->handles[i];
        if (!handle->told)
            continue;
        source->handles[i] = source->handles[--source->handles_count];
        source->left--;
        live_exchange_return(&source->keeper.exchange, handle);
    }
}

static void end(struct live_source *source, enum live_end why)
{
    source->state = LIVE_ENDED;
    if (why != LIVE_END_GONE)
        return;
    source->verdict = ERROR_NOT_FOUND;
    error_set(&source->error, ERROR_NOT_FOUND,
              "no interface is left to capture on: the last one was removed (with capture.on_missing: wait "
              "it is waited for)");
}

// --- Reading ---

// An error of the socket is read off here, else it would wake at once for ever. ENETDOWN is no more than news:
// the socket goes on when the interface comes up again.
static void take_socket_error(const struct live_handle *handle)
{
    int problem = 0;
    socklen_t length = sizeof problem;
    getsockopt(handle->fd, SOL_SOCKET, SO_ERROR, &problem, &length);
}

static void tell_trouble(struct live_source *source, struct live_handle *handle)
{
    if (!atomic_exchange(&handle->trouble, true))
        live_exchange_wake(source->keeper.exchange.keeper_fd);
}

static void read_leaving(struct live_source *source, struct live_handle *handle)
{
    if (!live_drain_read(handle, &source->frames))
        return;
    epoll_ctl(source->epoll_fd, EPOLL_CTL_DEL, handle->fd, NULL);
    source->leaving--;
    source->left++;
}

static void read_handle(struct live_source *source, struct live_handle *handle)
{
    handle->ready = false;
    if (handle->leave_ns != 0) {
        read_leaving(source, handle);
        return;
    }
    unsigned got =
        live_handle_read(handle, (int)live_frames_left(&source->frames), live_frames_take, &source->frames);
    if (got == 0 && handle->failed)
        tell_trouble(source, handle);
}

static void read_handles(struct live_source *source)
{
    unsigned first = source->turn++;
    source->eager = false;
    for (unsigned i = 0; i < source->handles_count; i++) {
        struct live_handle *handle = source->handles[(first + i) % source->handles_count];
        bool wanted = !handle->left && (handle->ready || handle->more || handle->leave_ns != 0);
        if (wanted && live_frames_left(&source->frames) > 0)
            read_handle(source, handle);
        source->eager |= !handle->left && (handle->ready || handle->more);
    }
}

// --- Polling ---

// How long the handles allow to sleep.
static int wait_ms(const struct live_source *source, int timeout_ms)
{
    if (source->eager)
        return 0;
    if (source->leaving > 0 && (timeout_ms < 0 || timeout_ms > LEAVE_WAIT_MS))
        return LEAVE_WAIT_MS;
    return timeout_ms;
}

// Sleeps until a frame, a word of the keeper, the stop, or the timeout.
static void await(struct live_source *source, int timeout_ms)
{
    struct epoll_event events[EVENTS];
    bool heard = false;
    int count = epoll_wait(source->epoll_fd, events, EVENTS, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct live_handle *handle = events[i].data.ptr;
        heard |= handle == NULL;
        if (handle == NULL)
            continue;
        handle->ready = true;
        if ((events[i].events & EPOLLERR) != 0)
            take_socket_error(handle);
    }
    if (heard)
        hear_keeper(source);
}

// Nothing to wait for while a ring is known to hold more; the sockets are looked at now and then.
static void watch(struct live_source *source, int timeout_ms)
{
    unsigned most = source->handles_count > 1 ? UNWATCHED_BESIDE : UNWATCHED_ALONE;
    if (source->eager && ++source->unwatched < most)
        return;
    source->unwatched = 0;
    await(source, wait_ms(source, timeout_ms));
}

static void begin_draining(struct live_source *source)
{
    bool drain = atomic_load(&source->stop) == STOP_DRAIN;
    atomic_store(&source->keeper.exchange.end, LIVE_END_STOPPED); // it answers that nothing can be asked
    source->state = LIVE_DRAINING;
    take_handles(source);
    for (unsigned i = 0; i < source->handles_count; i++) {
        struct live_handle *handle = source->handles[i];
        live_handle_seal(handle);
        if (handle->leave_ns == 0)
            begin_leaving(source, handle, drain ? LIVE_LEAVE_DRAIN : LIVE_LEAVE_UNREAD);
    }
}

static enum source_result poll_handles(struct live_source *source, int timeout_ms)
{
    watch(source, timeout_ms);
    read_handles(source);
    if (source->frames.count > 0)
        return SOURCE_FRAMES;
    int why = atomic_load(&source->keeper.exchange.end);
    if (source->state == LIVE_RUNNING && why != LIVE_GOES_ON && source->handles_count == 0)
        end(source, (enum live_end)why);
    else if (source->state == LIVE_DRAINING && source->leaving == 0)
        end(source, LIVE_END_STOPPED);
    return source->state == LIVE_ENDED ? SOURCE_END : SOURCE_IDLE;
}

static enum source_result live_poll(struct source *base, int timeout_ms, struct frame *frames,
                                    unsigned capacity, unsigned *count)
{
    struct live_source *source = live_of(base);
    assert(capacity > 0);
    live_frames_begin(&source->frames, frames, capacity);
    *count = 0;
    if (source->state == LIVE_RUNNING && atomic_load(&source->stop) != STOP_NOT)
        begin_draining(source);
    if (source->state == LIVE_ENDED)
        return SOURCE_END;
    if (source->state == LIVE_RUNNING)
        return_handles(source);
    if (!live_frames_make_room(&source->frames, CHUNK_READY_BYTES, timeout_ms))
        return SOURCE_IDLE;
    enum source_result result = poll_handles(source, timeout_ms);
    *count = source->frames.count;
    return result;
}

// --- The row ---

static unsigned live_interfaces(const struct source *source)
{
    return interface_list_count(&const_live_of(source)->keeper.set.numbers.rows);
}

static const struct source_interface *live_interface(const struct source *source, unsigned index)
{
    return &interface_list_row(&const_live_of(source)->keeper.set.numbers.rows, index)->shown;
}

// Asks the kernel once a second while the handle is read; what left was counted then.
static void count_due(struct live_source *source, struct live_handle *handle)
{
    int64_t now_ns = clock_now_ns();
    bool due = source->state == LIVE_RUNNING && handle->leave_ns == 0;
    if (!due || now_ns < handle->counted_at_ns + count_every_ns)
        return;
    live_handle_count(handle);
    handle->counted_at_ns = now_ns;
}

static bool live_drops(struct source *base, bool first, struct source_drops *out)
{
    struct live_source *source = live_of(base);
    if (first)
        source->told = 0;
    if (source->told >= source->handles_count)
        return false;
    struct live_handle *handle = source->handles[source->told++];
    count_due(source, handle);
    handle->counted.interface_dropped = atomic_load(&handle->nic_dropped);
    const struct source_drops *now = &handle->counted, *taken = &handle->taken;
    *out = (struct source_drops){
        .interface = handle->interface,
        .left = handle->left && !handle->told &&
                source->state == LIVE_RUNNING, // at the end all stay what they are
        .exact = handle->exact,
        .received = now->received - taken->received,
        .kernel_dropped = now->kernel_dropped - taken->kernel_dropped,
        .interface_dropped = now->interface_dropped - taken->interface_dropped,
        .delivered = now->delivered - taken->delivered,
        .no_chunk = now->no_chunk - taken->no_chunk,
        .unread = now->unread - taken->unread,
    };
    handle->taken = handle->counted;
    handle->told = handle->left;
    return true;
}

static void live_stop(struct source *base, bool drain)
{
    struct live_source *source = live_of(base);
    atomic_store(&source->stop, drain ? STOP_DRAIN : STOP_AT_ONCE);
    live_exchange_wake(source->keeper.exchange.source_fd);
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
    live_keeper_end(&source->keeper);
    if (source->epoll_fd >= 0)
        close(source->epoll_fd);
    free(source);
}

// --- While it runs ---

static bool live_start(struct source *base, const char *word, struct error *error)
{
    struct live_wanted wanted = {.kind = LIVE_START, .word = word};
    return live_keeper_ask(&live_of(base)->keeper, &wanted, NULL, error);
}

static bool live_stop_one(struct source *base, const char *word, bool drain, struct source_drops *verdict,
                          struct error *error)
{
    struct live_wanted wanted = {.kind = LIVE_STOP, .word = word, .drain = drain};
    return live_keeper_ask(&live_of(base)->keeper, &wanted, verdict, error);
}

static bool live_reconfigure(struct source *base, const struct capture_settings *settings,
                             struct error *error)
{
    struct live_wanted wanted = {.kind = LIVE_SETTINGS, .settings = settings};
    return live_keeper_ask(&live_of(base)->keeper, &wanted, NULL, error);
}

static void live_keep_open(struct source *base, bool on)
{
    struct live_source *source = live_of(base);
    atomic_store(&source->keeper.keep_open, on);
    live_exchange_wake(source->keeper.exchange.keeper_fd);
}

static bool live_link_name(const struct source *base, uint32_t link, char name[SOURCE_LINK_NAME_BYTES])
{
    return link_names_get(const_live_of(base)->keeper.set.names, link, name);
}

static const struct source_control live_control = {
    .start = live_start,
    .stop = live_stop_one,
    .reconfigure = live_reconfigure,
    .keep_open = live_keep_open,
    .link_name = live_link_name,
};

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
    .control = &live_control,
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
    source->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    bool opened = live_keeper_begin(&source->keeper, settings, error);
    if (opened && !watch_fd(source, source->keeper.exchange.source_fd, NULL))
        opened = error_set(error, ERROR_EXHAUSTED, "the live capture finds no descriptors: raise ulimit -n");
    if (opened)
        return &source->source;
    live_destroy(&source->source);
    return NULL;
}

const char *live_source_reason(const struct source *source)
{
    assert(source->ops == &live_ops);
    return const_live_of(source)->keeper.reason;
}

void live_source_set_tick(struct source *source, int64_t tick_ns)
{
    assert(source->ops == &live_ops && tick_ns >= 0);
    live_keeper_set_tick(&live_of(source)->keeper, tick_ns);
}
