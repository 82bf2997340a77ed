#include "capture/live/live_handle.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include <pcap/pcap.h>

#include "base/log.h"
#include "base/time.h"
#include "capture/link_type.h"

enum {
    MB = 1024 * 1024,
    BUFFER_MIN_BYTES = 256 * 1024,
    GLOB_BUFFER_PART = 16, // interfaces behind a glob are many: each gets this part of the buffer
    GLOB_BUFFER_MIN_BYTES = 2 * MB,
    IMMEDIATE_FRAMES = 1024, // immediate mode keeps a whole snaplen a frame: so many must fit
    IMMEDIATE_SNAPLEN_MIN = 2048,
};

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static uint32_t wanted_buffer(const struct live_handle *handle, const struct capture_settings *settings)
{
    uint64_t bytes = (uint64_t)settings->buffer_size_mb * MB;
    if (handle->by_glob) {
        uint64_t part = bytes / GLOB_BUFFER_PART;
        uint64_t least = bytes < GLOB_BUFFER_MIN_BYTES ? bytes : GLOB_BUFFER_MIN_BYTES;
        bytes = part > least ? part : least;
    }
    return bytes < INT32_MAX ? (uint32_t)bytes : INT32_MAX;
}

static uint32_t wanted_snaplen(const struct live_handle *handle, const struct capture_settings *settings,
                               uint32_t buffer_bytes)
{
    uint32_t most = buffer_bytes / IMMEDIATE_FRAMES;
    if (most < IMMEDIATE_SNAPLEN_MIN)
        most = IMMEDIATE_SNAPLEN_MIN;
    if (!settings->immediate_mode || settings->snaplen <= most)
        return settings->snaplen;
    log_warning("capture",
                "%s: immediate mode keeps room for the whole snaplen for each frame: it is cut from %" PRIu32
                " to %" PRIu32 " bytes so that the ring holds %d frames (low latency comes from "
                "capture.timeout_ms without it)",
                handle->device, settings->snaplen, most, IMMEDIATE_FRAMES);
    return most;
}

static enum live_open_result explain(const struct live_handle *handle, int status, pcap_t *pcap,
                                     struct error *error)
{
    switch (status) {
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        error_set(
            error, ERROR_PERMISSION,
            "no permission to capture on %s: run it with sudo, or give the program the capability once: "
            "sudo setcap cap_net_raw+ep $(command -v netscope)",
            handle->device);
        return LIVE_NO_PERMISSION;
    case PCAP_ERROR_NO_SUCH_DEVICE:
        error_set(error, ERROR_NOT_FOUND, "there is no interface %s", handle->device);
        return LIVE_MISSING;
    case PCAP_ERROR_IFACE_NOT_UP:
        error_set(error, ERROR_UNAVAILABLE, "the interface %s is down", handle->device);
        return LIVE_DOWN;
    default:
        error_set(error, ERROR_UNAVAILABLE, "%s cannot be captured: %s", handle->device, pcap_geterr(pcap));
        return LIVE_FAILED;
    }
}

// One try with one buffer size.
static pcap_t *activate(const struct live_handle *handle, const struct capture_settings *settings,
                        uint32_t snaplen, uint32_t buffer_bytes, enum live_open_result *result,
                        struct error *error)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_create(handle->device, reason);
    if (pcap == NULL) {
        error_set(error, ERROR_UNAVAILABLE, "%s cannot be captured: %s", handle->device, reason);
        *result = LIVE_FAILED;
        return NULL;
    }
    pcap_set_snaplen(pcap, (int)snaplen);
    pcap_set_promisc(pcap, settings->promiscuous && !handle->is_any);
    pcap_set_timeout(pcap, (int)settings->timeout_ms);
    pcap_set_buffer_size(pcap, (int)buffer_bytes);
    pcap_set_immediate_mode(pcap, settings->immediate_mode);
    pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
    int status = pcap_activate(pcap);
    if (status < 0) {
        *result = explain(handle, status, pcap, error);
        pcap_close(pcap);
        return NULL;
    }
    if (status > 0)
        log_warning("capture", "%s: %s", handle->device, pcap_geterr(pcap));
    *result = LIVE_OPENED;
    return pcap;
}

// The size of the ring that libpcap got: it shrinks it silently when memory is short. 0 = unknown.
static uint64_t ring_bytes(int fd)
{
    struct stat status;
    FILE *maps = fstat(fd, &status) == 0 ? fopen("/proc/self/maps", "re") : NULL;
    if (maps == NULL)
        return 0;
    char wanted[48];
    char line[512];
    snprintf(wanted, sizeof wanted, "socket:[%ju]", (uintmax_t)status.st_ino);
    uint64_t bytes = 0;
    while (bytes == 0 && fgets(line, sizeof line, maps) != NULL) {
        uint64_t from, to;
        if (strstr(line, wanted) != NULL && sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) == 2)
            bytes = to - from;
    }
    fclose(maps);
    return bytes;
}

static void report_ring(const struct live_handle *handle, uint32_t wanted_bytes)
{
    uint64_t bytes = ring_bytes(handle->fd);
    if (bytes != 0 && bytes < wanted_bytes - wanted_bytes / 8)
        log_warning("capture", "%s: a ring of %" PRIu32 " KB did not fit into memory: it has %" PRIu64 " KB",
                    handle->device, wanted_bytes / 1024, bytes / 1024);
}

// Activates with the largest buffer that fits.
static enum live_open_result activate_largest(struct live_handle *handle,
                                              const struct capture_settings *settings, struct error *error)
{
    uint32_t wanted_bytes = wanted_buffer(handle, settings);
    uint32_t snaplen = wanted_snaplen(handle, settings, wanted_bytes);
    enum live_open_result result = LIVE_FAILED;
    for (uint32_t bytes = wanted_bytes; handle->pcap == NULL; bytes /= 2) {
        handle->pcap = activate(handle, settings, snaplen, bytes, &result, error);
        if (result != LIVE_FAILED || bytes / 2 < BUFFER_MIN_BYTES)
            break;
    }
    if (result != LIVE_OPENED)
        return result;
    handle->fd = pcap_get_selectable_fd(handle->pcap);
    report_ring(handle, wanted_bytes);
    handle->row->shown.snaplen = snaplen;
    return LIVE_OPENED;
}

static bool attach_reject_all(int fd)
{
    struct sock_filter reject = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog program = {.len = 1, .filter = &reject};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

void live_handle_shut(struct live_handle *handle)
{
    if (handle->pcap != NULL)
        attach_reject_all(handle->fd);
}

static void discard(u_char *owner, const struct pcap_pkthdr *header, const u_char *bytes)
{
    (void)owner;
    (void)header;
    (void)bytes;
}

static void sleep_ms(uint32_t ms)
{
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000 * NS_PER_MS)};
    nanosleep(&span, NULL);
}

static void note_seen(struct live_handle *handle)
{
    struct pcap_stat stat;
    if (pcap_stats(handle->pcap, &stat) != 0)
        return;
    handle->received_seen = stat.ps_recv;
    handle->kernel_dropped_seen = stat.ps_drop;
    handle->interface_dropped_seen = stat.ps_ifdrop;
}

// Between the activation and the filter, the ring took what the filter would have left out: it is thrown
// away, and counting starts behind it. The block being filled comes out after the timeout. Nothing passes until
// the filter takes the place of the one that rejects all, or open_wide() takes it away: what got in before would
// be counted by the kernel and left out by libpcap.
static void start_afresh(struct live_handle *handle, const struct capture_settings *settings)
{
    if (!attach_reject_all(handle->fd))
        return;
    sleep_ms(2 * settings->timeout_ms + 5);
    while (pcap_dispatch(handle->pcap, -1, discard, NULL) > 0)
        ;
    note_seen(handle);
}

static void open_wide(const struct live_handle *handle)
{
    int none = 0;
    setsockopt(handle->fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none);
}

static enum live_open_result set_filter(struct live_handle *handle, const char *expression,
                                        struct error *error)
{
    struct bpf_program program;
    if (expression[0] == 0) {
        open_wide(handle);
        return LIVE_OPENED;
    }
    if (pcap_compile(handle->pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        error_set(error, ERROR_INVALID_ARGUMENT, "the filter \"%s\" is not valid: %s", expression,
                  pcap_geterr(handle->pcap));
        return LIVE_BAD_FILTER;
    }
    int status = pcap_setfilter(handle->pcap, &program);
    pcap_freecode(&program);
    if (status == 0)
        return LIVE_OPENED;
    error_set(error, ERROR_INVALID_ARGUMENT, "the filter \"%s\" cannot be set on %s: %s", expression,
              handle->device, pcap_geterr(handle->pcap));
    return LIVE_BAD_FILTER;
}

static void set_link_type(struct live_handle *handle)
{
    if (handle->is_any && pcap_set_datalink(handle->pcap, DLT_LINUX_SLL2) != 0)
        log_warning("capture", "any: this libpcap gives no interface with each packet: %s",
                    pcap_geterr(handle->pcap));
    handle->link_type = link_type_of_dlt(pcap_datalink(handle->pcap));
    handle->row->shown.link_type = handle->link_type;
}

// libpcap hides the sending side of the loopback, which the kernel counts nonetheless.
static void ignore_outgoing(const struct live_handle *handle)
{
    int yes = 1;
    setsockopt(handle->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes);
}

static enum live_open_result configure(struct live_handle *handle, const struct capture_settings *settings,
                                       bool loopback, struct error *error)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    if (pcap_setnonblock(handle->pcap, 1, reason) != 0) {
        error_set(error, ERROR_UNAVAILABLE, "%s cannot be captured: %s", handle->device, reason);
        return LIVE_FAILED;
    }
    handle->nanoseconds = pcap_get_tstamp_precision(handle->pcap) == PCAP_TSTAMP_PRECISION_NANO;
    set_link_type(handle);
    if (loopback)
        ignore_outgoing(handle);
    if (loopback || settings->filter[0] != 0)
        start_afresh(handle, settings);
    return set_filter(handle, settings->filter, error);
}

enum live_open_result live_handle_open(struct live_handle *handle, const struct capture_settings *settings,
                                       uint32_t kernel_index, bool loopback, struct error *error)
{
    handle->received_seen = handle->kernel_dropped_seen = handle->interface_dropped_seen = 0;
    handle->gone = handle->more = handle->failed = false;
    enum live_open_result result = activate_largest(handle, settings, error);
    if (result == LIVE_OPENED)
        result = configure(handle, settings, loopback, error);
    if (result != LIVE_OPENED) {
        if (handle->pcap != NULL)
            pcap_close(handle->pcap);
        handle->pcap = NULL;
        return result;
    }
    handle->kernel_index = kernel_index;
    handle->row->shown.kernel_index = kernel_index;
    return LIVE_OPENED;
}

void live_handle_close(struct live_handle *handle)
{
    if (handle->pcap == NULL)
        return;
    live_handle_count(handle);
    pcap_close(handle->pcap);
    handle->pcap = NULL;
    handle->kernel_index = 0;
    atomic_store(&handle->row->shown.up, false);
}

// libpcap's counters have 32 bits and wrap; one that steps back a little (a driver's) counts as still.
static void add_delta(uint64_t *total, uint32_t *seen, uint32_t now)
{
    uint32_t delta = now - *seen;
    if (delta > INT32_MAX)
        return;
    *total += delta;
    *seen = now;
}

void live_handle_count(struct live_handle *handle)
{
    struct pcap_stat stat;
    if (handle->pcap == NULL || pcap_stats(handle->pcap, &stat) != 0)
        return;
    struct source_drops *drops = &handle->row->drops;
    add_delta(&drops->received, &handle->received_seen, stat.ps_recv);
    add_delta(&drops->kernel_dropped, &handle->kernel_dropped_seen, stat.ps_drop);
    add_delta(&drops->interface_dropped, &handle->interface_dropped_seen, stat.ps_ifdrop);
}

uint64_t live_handle_missing(struct live_handle *handle)
{
    live_handle_count(handle);
    const struct source_drops *drops = &handle->row->drops;
    uint64_t known = drops->delivered + drops->kernel_dropped + drops->no_chunk + drops->unread;
    return drops->exact && drops->received > known ? drops->received - known : 0;
}

void live_handle_abandon(struct live_handle *handle)
{
    handle->row->drops.unread += live_handle_missing(handle);
    live_handle_close(handle);
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
