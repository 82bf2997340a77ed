// One interface that is captured: a libpcap handle that may close and open again while its row in the
// source's list, and its counters, go on. Owned by the live source; its thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/live/interface_list.h"
#include "config/settings.h"

struct pcap;

struct live_handle {
    struct pcap *pcap; // NULL = closed: the interface is missing or down
    int fd;
    char device[64];       // the kernel's name, or "any"
    uint32_t kernel_index; // while open; 0 for "any"
    bool by_glob;          // forgotten once its interface is gone
    bool is_any;
    bool gone;             // the interface was removed: read what is left, then close
    int64_t gone_until_ns; // until then the kernel may hold a last block back
    bool complained;       // that it cannot be opened was said
    bool more;             // the last read stopped at its limit
    bool failed;           // the last read failed
    bool finished;         // stopped, and read to the end
    bool nanoseconds;
    uint32_t drained;    // frames handed over since the stop
    int64_t retry_at_ns; // closed: not opened before
    uint16_t interface;  // row
    uint16_t link_type;
    struct interface_row *row;
    int64_t counted_at_ns; // when the source last asked for the counts
    uint32_t received_seen, kernel_dropped_seen, interface_dropped_seen; // libpcap's, at the last count
};

enum live_open_result {
    LIVE_OPENED,
    LIVE_MISSING,
    LIVE_DOWN,
    LIVE_NO_PERMISSION,
    LIVE_BAD_FILTER,
    LIVE_FAILED,
};

// Opens, sets the filter, and starts counting. On failure `error` has a sentence and an exit code.
enum live_open_result live_handle_open(struct live_handle *handle, const struct capture_settings *settings,
                                       uint32_t kernel_index, bool loopback, struct error *error);
// Counts the drops a last time and closes.
void live_handle_close(struct live_handle *handle);
// Closes a handle that can no longer be read; what was in its ring counts as unread.
void live_handle_abandon(struct live_handle *handle);

// Brings the row's drops up to date.
void live_handle_count(struct live_handle *handle);
// Frames that the kernel counted and that came out nowhere yet: in a block that it still fills.
uint64_t live_handle_missing(struct live_handle *handle);

// Lets nothing more into the ring; what is in it can still be read.
void live_handle_shut(struct live_handle *handle);

// Called for each frame with its stamp; the bytes are libpcap's.
typedef void live_frame(void *owner, struct live_handle *handle, int64_t time_ns, const uint8_t *bytes,
                        uint32_t captured, uint32_t length);
// Reads at most `limit` frames (negative = all there are) without waiting and returns how many. Sets `more`
// and `failed`.
unsigned live_handle_read(struct live_handle *handle, int limit, live_frame *frame, void *owner);
