#include "capture/live/live_drain.h"

#include <assert.h>

#include "base/time.h"
#include "capture/clock.h"

static const int64_t drain_patience_ns = 300 * NS_PER_MS;

void live_drain_begin(struct live_handle *handle, enum live_wish how, int64_t now_ns)
{
    static const uint32_t frames[] = {
        [LIVE_LEAVE_GONE] = UINT32_MAX,
        [LIVE_LEAVE_DRAIN] = LIVE_DRAIN_FRAMES,
        [LIVE_LEAVE_UNREAD] = 0,
        [LIVE_ABANDON] = 0,
    };
    assert(how != LIVE_READ && handle->leave_ns == 0);
    bool now = how == LIVE_ABANDON;
    handle->leave_ns = now ? now_ns - drain_patience_ns : now_ns + handle->block_time_ns;
    handle->leave_frames = frames[how];
}

static void count_unread(void *owner, struct live_handle *handle, int64_t time_ns, const uint8_t *bytes,
                         uint32_t captured, uint32_t length)
{
    (void)owner;
    (void)time_ns;
    (void)bytes;
    (void)captured;
    (void)length;
    handle->counted.unread++;
}

static unsigned read_some(struct live_handle *handle, struct live_frames *frames)
{
    if (handle->leave_frames == 0)
        return live_handle_read(handle, -1, count_unread, NULL);
    unsigned room = live_frames_left(frames);
    if (room > handle->leave_frames)
        room = handle->leave_frames;
    unsigned got = live_handle_read(handle, (int)room, live_frames_take, frames);
    handle->leave_frames -= got;
    return got;
}

// The block that the kernel was filling comes out within the timeout, or on a loaded machine a little later:
// until then a ring is not known empty. What does not come out is counted as unread. A ring that could not be sealed
// may never be empty: it is read no longer than that.
bool live_drain_read(struct live_handle *handle, struct live_frames *frames)
{
    assert(handle->leave_ns != 0 && !handle->left && live_frames_left(frames) > 0);
    int64_t began_ns = clock_now_ns();
    bool late = began_ns >= handle->leave_ns;
    bool endless = !atomic_load(&handle->sealed) && began_ns >= handle->leave_ns + drain_patience_ns;
    bool got_some = read_some(handle, frames) > 0;
    if (!late || (got_some && !endless))
        return false;
    uint64_t missing = live_handle_missing(handle);
    handle->left = missing == 0 || clock_now_ns() >= handle->leave_ns + drain_patience_ns;
    if (handle->left)
        handle->counted.unread += missing;
    return handle->left;
}
