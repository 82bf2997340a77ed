#include "capture/live/live_drain.h"

#include <poll.h>
#include <stddef.h>

#include "base/time.h"
#include "capture/clock.h"

static const int64_t drain_patience_ns = 300 * NS_PER_MS;

void live_drain_begin(struct live_drain *drain, struct live_set *set)
{
    for (unsigned i = 0; i < set->handles_count; i++)
        live_handle_shut(set->handles[i]);
    drain->until_ns = clock_now_ns() + live_block_time_ns(set->settings);
}

static void count_unread(void *owner, struct live_handle *handle, int64_t time_ns, const uint8_t *bytes,
                         uint32_t captured, uint32_t length)
{
    (void)owner;
    (void)time_ns;
    (void)bytes;
    (void)captured;
    (void)length;
    handle->row->drops.unread++;
}

static unsigned read_handle(struct live_handle *handle, struct live_frames *frames, bool keep)
{
    if (!keep || handle->drained >= LIVE_DRAIN_FRAMES)
        return live_handle_read(handle, -1, count_unread, NULL);
    unsigned room = live_frames_left(frames);
    unsigned allowed = LIVE_DRAIN_FRAMES - handle->drained;
    unsigned got = live_handle_read(handle, (int)(room < allowed ? room : allowed), live_frames_take, frames);
    handle->drained += got;
    return got;
}

// The block that the kernel was filling comes out within the timeout, or on a loaded machine a little later:
// until then a ring is not known empty. What does not come out is counted as unread.
static void drain_handle(const struct live_drain *drain, struct live_handle *handle,
                         struct live_frames *frames, bool keep)
{
    bool late = clock_now_ns() >= drain->until_ns;
    if (read_handle(handle, frames, keep) > 0 || !late)
        return;
    uint64_t missing = live_handle_missing(handle);
    handle->finished = missing == 0 || clock_now_ns() >= drain->until_ns + drain_patience_ns;
    if (handle->finished)
        handle->row->drops.unread += missing;
}

bool live_drain_read(const struct live_drain *drain, struct live_set *set, struct live_frames *frames,
                     bool keep)
{
    bool all_finished = true;
    for (unsigned i = 0; i < set->handles_count && live_frames_left(frames) > 0; i++) {
        struct live_handle *handle = set->handles[i];
        if (handle->pcap == NULL || handle->finished)
            continue;
        drain_handle(drain, handle, frames, keep);
        all_finished = all_finished && handle->finished;
    }
    return all_finished && live_frames_left(frames) > 0;
}

void live_drain_wait(const struct live_drain *drain, int timeout_ms)
{
    int64_t left_ms = (drain->until_ns - clock_now_ns()) / NS_PER_MS + 1;
    if (left_ms < 1)
        left_ms = 1;
    poll(NULL, 0, timeout_ms >= 0 && timeout_ms < left_ms ? timeout_ms : (int)left_ms);
}
