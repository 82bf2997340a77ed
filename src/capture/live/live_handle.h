// An open libpcap handle of an interface, as it is read. It belongs to the keeper, which opens (live_open.h) and
// closes it, and meanwhile to the source thread, which reads, counts and drains it; it crosses by the exchange. What
// the keeper wants of one that the source has, it says by atomics.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "capture/live/interface_list.h"

struct pcap;
struct bpf_program;

enum live_wish {
    LIVE_READ,
    LIVE_LEAVE_GONE,  // the interface was removed or renamed: read what is left
    LIVE_LEAVE_DRAIN, // stopped (the ring takes nothing more in): hand over what is in the ring, up to a limit
    LIVE_LEAVE_UNREAD, // stopped: count it as unread
    LIVE_ABANDON,      // it cannot be read any more: what the kernel counted and nobody saw is unread
};

// How it stands with a filter that the source is to set.
enum live_filter_state { LIVE_FILTER_NONE, LIVE_FILTER_ASKED, LIVE_FILTER_SET, LIVE_FILTER_REFUSED };

enum { LIVE_DRAIN_FRAMES = 65536 }; // of an interface that is stopped, at most, are handed over

struct live_handle {
    // Fixed once it is open.
    struct pcap *pcap;
    int fd;
    char device[64];       // the kernel's name, or "any"
    uint32_t kernel_index; // 0 for "any"
    bool cooked;           // the filter is libpcap's business: it fixes offsets
    bool nanoseconds;
    bool exact; // all that the kernel counts is seen
    uint16_t interface, link_type;
    uint32_t snaplen;
    int64_t block_time_ns; // within it the kernel gives out a block of the ring that it was filling
    struct interface_row *row;
    uint64_t nic_dropped_before; // what the NIC had dropped when it was opened

    // Said by the keeper, heard by the source.
    atomic_int wish; // enum live_wish; the source says LIVE_ABANDON of one it cannot watch
    _Atomic(struct bpf_program *) next_filter; // to be set by who reads; NULL = none
    atomic_uint_least64_t nic_dropped;         // since it was opened
    atomic_int filter_state; // enum live_filter_state: asked by the keeper, answered by the source
    // Said by the source: a read failed.
    atomic_bool trouble;
    // Said by either, once: nothing more comes into the ring.
    atomic_bool sealed;

    // The source's.
    struct source_drops counted, taken; // since it was opened; and what of it was asked for
    int64_t counted_at_ns;              // when the kernel was last asked
    int64_t leave_ns;         // leaving: until then the kernel may hold a last block back; 0 = not leaving
    uint32_t leave_frames;    // leaving: may still be handed over
    bool ready;               // there may be something to read
    bool more;                // the last read stopped at its limit
    bool failed;              // the last read failed
    bool left;                // read to the end
    bool told;                // and asked for
    struct live_handle *next; // in the exchange
};

// Brings what the kernel counted up to date.
void live_handle_count(struct live_handle *handle);
// Frames that the kernel counted and that came out nowhere yet: in a block that it still fills.
uint64_t live_handle_missing(struct live_handle *handle);

// Lets nothing more into the ring; what is in it can still be read. Any thread that has the handle open.
bool live_handle_shut(struct live_handle *handle);
// The same for good: no filter that somebody sets later opens it again. Sets `sealed`, unless the kernel refuses.
void live_handle_seal(struct live_handle *handle);

// Called for each frame with its stamp; the bytes are libpcap's.
typedef void live_frame(void *owner, struct live_handle *handle, int64_t time_ns, const uint8_t *bytes,
                        uint32_t captured, uint32_t length);
// Reads at most `limit` frames (negative = all there are) without waiting and returns how many. Sets `more`
// and `failed`.
unsigned live_handle_read(struct live_handle *handle, int limit, live_frame *frame, void *owner);
