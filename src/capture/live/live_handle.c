#include "capture/live/live_handle.h"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <pcap/pcap.h>

#include "base/time.h"

bool live_handle_shut(struct live_handle *handle)
{
    struct sock_filter reject = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog program = {.len = 1, .filter = &reject};
    return setsockopt(handle->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

void live_handle_seal(struct live_handle *handle)
{
    int yes = 1;
    if (live_handle_shut(handle) && setsockopt(handle->fd, SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof yes) == 0)
        atomic_store(&handle->sealed, true);
}

// The kernel's counts since they were last read. Not by pcap_stats(), which opens files of /sys as well.
void live_handle_count(struct live_handle *handle)
{
    struct tpacket_stats_v3 stats = {0};
    socklen_t length = sizeof stats;
    if (getsockopt(handle->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length) != 0)
        return;
    handle->counted.received += stats.tp_packets;
    handle->counted.kernel_dropped += stats.tp_drops;
}

uint64_t live_handle_missing(struct live_handle *handle)
{
    live_handle_count(handle);
    const struct source_drops *counted = &handle->counted;
    uint64_t known = counted->delivered + counted->kernel_dropped + counted->no_chunk + counted->unread;
    return handle->exact && counted->received > known ? counted->received - known : 0;
}

struct reading {
    struct live_handle *handle;
    live_frame *frame;
    void *owner;
};

static void hand_on(u_char *argument, const struct pcap_pkthdr *header, const u_char *bytes)
{
    const struct reading *reading = (const struct reading *)(const void *)argument;
    int64_t fraction = header->ts.tv_usec;
    if (!reading->handle->nanoseconds)
        fraction *= NS_PER_US;
    int64_t time_ns = (int64_t)header->ts.tv_sec * NS_PER_S + fraction;
    reading->frame(reading->owner, reading->handle, time_ns, bytes, header->caplen, header->len);
}

unsigned live_handle_read(struct live_handle *handle, int limit, live_frame *frame, void *owner)
{
    struct reading reading = {.handle = handle, .frame = frame, .owner = owner};
    int result = pcap_dispatch(handle->pcap, limit, hand_on, (u_char *)&reading);
    handle->failed = result < 0;
    handle->more = limit > 0 && result == limit;
    return result > 0 ? (unsigned)result : 0;
}
