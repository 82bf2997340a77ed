#include "capture/live/live_handles.h"

#include <assert.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "capture/clock.h"
#include "capture/live/live_drain.h"
#include "capture/live/live_filter.h"

enum { LEAVE_WAIT_MS = 5, EVENTS = 64 };
// Polls between two looks at the sockets while rings are known to hold more: alone, and beside others.
enum { UNWATCHED_ALONE = 64, UNWATCHED_BESIDE = 4 };
static const int64_t count_every_ns = NS_PER_S;

void live_handles_init(struct live_handles *handles, struct live_exchange *exchange, struct chunk_pool *pool)
{
    *handles = (struct live_handles){.exchange = exchange};
    live_frames_init(&handles->frames, pool);
    handles->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
}

void live_handles_done(struct live_handles *handles)
{
    if (handles->epoll_fd >= 0)
        close(handles->epoll_fd);
}

// --- Handles come and go ---

static bool watch_fd(struct live_handles *handles, int fd, struct live_handle *handle)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = handle};
    return epoll_ctl(handles->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void take_handles(struct live_handles *handles)
{
    struct live_handle *handle;
    while ((handle = live_exchange_take(handles->exchange)) != NULL) {
        assert(handles->count < LIVE_INTERFACES_MAX);
        handles->items[handles->count++] = handle;
        if (!watch_fd(handles, handle->fd, handle)) // no memory or too many: the keeper tries again
            atomic_store(&handle->wish, LIVE_ABANDON);
        handle->ready = true;
    }
}

static void begin_leaving(struct live_handles *handles, struct live_handle *handle, enum live_wish how)
{
    live_drain_begin(handle, how, clock_now_ns());
    handles->leaving++;
}

bool live_handles_listen(struct live_handles *handles)
{
    return watch_fd(handles, handles->exchange->source_fd, NULL);
}

void live_handles_hear(struct live_handles *handles)
{
    take_handles(handles);
    for (unsigned i = 0; i < handles->count; i++) {
        struct live_handle *handle = handles->items[i];
        enum live_wish wish = (enum live_wish)atomic_load(&handle->wish);
        if (wish == LIVE_READ)
            live_filter_take(handle);
        else if (handle->leave_ns == 0)
            begin_leaving(handles, handle, wish);
    }
}

void live_handles_leave(struct live_handles *handles, enum live_wish how)
{
    take_handles(handles);
    for (unsigned i = 0; i < handles->count; i++) {
        struct live_handle *handle = handles->items[i];
        live_handle_seal(handle);
        if (handle->leave_ns == 0)
            begin_leaving(handles, handle, how);
    }
}

void live_handles_give_back(struct live_handles *handles)
{
    for (unsigned i = handles->count; handles->left > 0 && i-- > 0;) {
        struct live_handle *handle = handles->items[i];
        if (!handle->told)
            continue;
        handles->items[i] = handles->items[--handles->count];
        handles->left--;
        live_exchange_return(handles->exchange, handle);
    }
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

static void tell_trouble(struct live_handles *handles, struct live_handle *handle)
{
    if (!atomic_exchange(&handle->trouble, true))
        live_exchange_wake(handles->exchange->keeper_fd);
}

static void read_leaving(struct live_handles *handles, struct live_handle *handle)
{
    if (!live_drain_read(handle, &handles->frames))
        return;
    epoll_ctl(handles->epoll_fd, EPOLL_CTL_DEL, handle->fd, NULL);
    handles->leaving--;
    handles->left++;
}

static void read_handle(struct live_handles *handles, struct live_handle *handle)
{
    handle->ready = false;
    if (handle->leave_ns != 0) {
        read_leaving(handles, handle);
        return;
    }
    unsigned got =
        live_handle_read(handle, (int)live_frames_left(&handles->frames), live_frames_take, &handles->frames);
    if (got == 0 && handle->failed)
        tell_trouble(handles, handle);
}

void live_handles_read(struct live_handles *handles)
{
    unsigned first = handles->turn++;
    handles->eager = false;
    for (unsigned i = 0; i < handles->count; i++) {
        struct live_handle *handle = handles->items[(first + i) % handles->count];
        bool wanted = !handle->left && (handle->ready || handle->more || handle->leave_ns != 0);
        if (wanted && live_frames_left(&handles->frames) > 0)
            read_handle(handles, handle);
        handles->eager |= !handle->left && (handle->ready || handle->more);
    }
}

// --- Waiting ---

// How long the handles allow to sleep.
static int wait_ms(const struct live_handles *handles, int timeout_ms)
{
    if (handles->eager)
        return 0;
    if (handles->leaving > 0 && (timeout_ms < 0 || timeout_ms > LEAVE_WAIT_MS))
        return LEAVE_WAIT_MS;
    return timeout_ms;
}

// Sleeps until a frame, a word of the keeper, the stop, or the timeout.
static bool await(struct live_handles *handles, int timeout_ms)
{
    struct epoll_event events[EVENTS];
    bool heard = false;
    int count = epoll_wait(handles->epoll_fd, events, EVENTS, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct live_handle *handle = events[i].data.ptr;
        heard |= handle == NULL;
        if (handle == NULL)
            continue;
        handle->ready = true;
        if ((events[i].events & EPOLLERR) != 0)
            take_socket_error(handle);
    }
    return heard;
}

// Nothing to wait for while a ring is known to hold more; the sockets are looked at now and then.
bool live_handles_watch(struct live_handles *handles, int timeout_ms)
{
    unsigned most = handles->count > 1 ? UNWATCHED_BESIDE : UNWATCHED_ALONE;
    if (handles->eager && ++handles->unwatched < most)
        return false;
    handles->unwatched = 0;
    return await(handles, wait_ms(handles, timeout_ms));
}

// --- Counting ---

// Asks the kernel once a second while the handle is read; what left was counted then.
static void count_due(struct live_handle *handle)
{
    int64_t now_ns = clock_now_ns();
    if (handle->leave_ns != 0 || now_ns < handle->counted_at_ns + count_every_ns)
        return;
    live_handle_count(handle);
    handle->counted_at_ns = now_ns;
}

bool live_handles_tell(struct live_handles *handles, bool first, bool running, struct source_drops *out)
{
    if (first)
        handles->told = 0;
    if (handles->told >= handles->count)
        return false;
    struct live_handle *handle = handles->items[handles->told++];
    if (running)
        count_due(handle);
    handle->counted.interface_dropped = atomic_load(&handle->nic_dropped);
    const struct source_drops *now = &handle->counted, *taken = &handle->taken;
    *out = (struct source_drops){
        .interface = handle->interface,
        .left = handle->left && !handle->told && running, // at the end all stay what they are
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
