#include "capture/live/live_open.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "base/capabilities.h"
#include "base/denial.h"
#include "base/log.h"
#include "base/time.h"
#include "capture/clock.h"
#include "capture/link_type.h"
#include "capture/live/live_filter.h"

enum {
    BUFFER_MIN_BYTES = 256 * 1024,
    IMMEDIATE_FRAMES = 1024, // immediate mode keeps a whole snaplen a frame: so many must fit
    IMMEDIATE_SNAPLEN_MIN = 2048,
};

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static uint32_t wanted_snaplen(const struct live_handle *handle, const struct capture_settings *settings,
                               uint64_t buffer_bytes)
{
    uint32_t most = (uint32_t)(buffer_bytes / IMMEDIATE_FRAMES);
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

static bool no_permission(const char *what, struct error *error)
{
    if (denial_in_container())
        return error_set(
            error, ERROR_PERMISSION,
            "no permission to capture on %s: give the container the capability, --cap-add NET_RAW; where it "
            "has it and may gain no privileges, or the image lost that of the file, run it with --user 0 "
            "--cap-drop ALL --cap-add NET_RAW (the chart: runAsRoot=true); a rootless container captures in "
            "a network of its own only",
            what);
    return error_set(
        error, ERROR_PERMISSION,
        "no permission to capture on %s: run it with sudo, or give the program the capability once: "
        "sudo setcap cap_net_raw+ep $(command -v netscope)",
        what);
}

bool live_open_is_permitted(const char *what, struct error *error)
{
    bool raised = capabilities_raise();
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    bool refused = fd < 0 && (errno == EPERM || errno == EACCES);
    if (raised)
        capabilities_lower();
    if (fd >= 0)
        close(fd);
    return !refused || no_permission(what, error);
}

static enum live_open_result explain(const struct live_handle *handle, int status, pcap_t *pcap,
                                     struct error *error)
{
    switch (status) {
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        no_permission(handle->device, error);
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

static bool is_any(const struct live_handle *handle)
{
    return strcmp(handle->device, "any") == 0;
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
    pcap_set_promisc(pcap, settings->promiscuous && !is_any(handle));
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

static void report_ring(const struct live_handle *handle, uint64_t wanted_bytes)
{
    uint64_t bytes = ring_bytes(handle->fd);
    if (bytes != 0 && bytes < wanted_bytes - wanted_bytes / 8)
        log_warning("capture", "%s: a ring of %" PRIu64 " KB did not fit into memory: it has %" PRIu64 " KB",
                    handle->device, wanted_bytes / 1024, bytes / 1024);
}

// Activates with the largest buffer that fits.
static enum live_open_result activate_largest(struct live_handle *handle, const struct live_order *order,
                                              struct error *error)
{
    uint64_t wanted_bytes = order->ring_bytes < INT32_MAX ? order->ring_bytes : INT32_MAX;
    handle->snaplen = wanted_snaplen(handle, order->settings, wanted_bytes);
    enum live_open_result result = LIVE_FAILED;
    bool raised = capabilities_raise();
    for (uint64_t bytes = wanted_bytes; handle->pcap == NULL; bytes /= 2) {
        handle->pcap = activate(handle, order->settings, handle->snaplen, (uint32_t)bytes, &result, error);
        if (result != LIVE_FAILED || bytes / 2 < BUFFER_MIN_BYTES)
            break;
    }
    if (raised)
        capabilities_lower();
    if (result != LIVE_OPENED)
        return result;
    handle->fd = pcap_get_selectable_fd(handle->pcap);
    report_ring(handle, wanted_bytes);
    return LIVE_OPENED;
}

// Of the NIC and its driver, as libpcap adds them up.
static uint64_t nic_dropped(const char *device)
{
    static const char *const names[] = {"rx_missed_errors", "rx_fifo_errors"};
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[160];
        uint64_t value = 0;
        snprintf(path, sizeof path, "/sys/class/net/%s/statistics/%s", device, names[i]);
        FILE *stream = fopen(path, "re");
        if (stream == NULL)
            continue;
        if (fscanf(stream, "%" SCNu64, &value) == 1)
            sum += value;
        fclose(stream);
    }
    return sum;
}

void live_open_count(struct live_handle *handle)
{
    uint64_t now = nic_dropped(handle->device);
    if (now > handle->nic_dropped_before) // a driver's may step back
        atomic_store(&handle->nic_dropped, now - handle->nic_dropped_before);
}

static void discard(u_char *owner, const struct pcap_pkthdr *header, const u_char *bytes)
{
    (void)header;
    (void)bytes;
    ++*(uint64_t *)(void *)owner;
}

bool live_open_settle(struct live_handle *handle, bool late)
{
    while (pcap_dispatch(handle->pcap, -1, discard, (u_char *)&handle->counted.unread) > 0)
        ;
    if (live_handle_missing(handle) > 0 && !late)
        return false;
    handle->counted = (struct source_drops){.received = 0};
    return true;
}

bool live_open_finish(struct live_handle *handle, const char *filter, struct error *error)
{
    int none = 0;
    if (filter[0] != 0)
        return live_filter_begin(handle, filter, error);
    setsockopt(handle->fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none);
    return true;
}

static void set_link_type(struct live_handle *handle)
{
    if (is_any(handle) && pcap_set_datalink(handle->pcap, DLT_LINUX_SLL2) != 0)
        log_warning("capture", "any: this libpcap gives no interface with each packet: %s",
                    pcap_geterr(handle->pcap));
    int dlt = pcap_datalink(handle->pcap);
    handle->cooked = dlt == DLT_LINUX_SLL || dlt == DLT_LINUX_SLL2;
    handle->link_type = link_type_of_dlt(dlt);
}

// libpcap hides the sending side of the loopback, which the kernel counts nonetheless.
static void ignore_outgoing(const struct live_handle *handle)
{
    int yes = 1;
    setsockopt(handle->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes);
}

static enum live_open_result configure(struct live_handle *handle, const struct live_order *order,
                                       bool *settling, struct error *error)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    if (pcap_setnonblock(handle->pcap, 1, reason) != 0) {
        error_set(error, ERROR_UNAVAILABLE, "%s cannot be captured: %s", handle->device, reason);
        return LIVE_FAILED;
    }
    handle->nanoseconds = pcap_get_tstamp_precision(handle->pcap) == PCAP_TSTAMP_PRECISION_NANO;
    set_link_type(handle);
    if (order->loopback)
        ignore_outgoing(handle);
    *settling = (order->loopback || order->settings->filter[0] != 0) && live_handle_shut(handle);
    return LIVE_OPENED;
}

struct live_handle *live_open(const struct live_order *order, bool *settling, enum live_open_result *result,
                              struct error *error)
{
    struct live_handle *handle = calloc(1, sizeof *handle);
    *result = LIVE_FAILED;
    if (handle == NULL) {
        error_set(error, ERROR_EXHAUSTED, "%s cannot be captured: no memory", order->device);
        return NULL;
    }
    snprintf(handle->device, sizeof handle->device, "%s", order->device);
    handle->kernel_index = order->kernel_index;
    handle->exact = !is_any(handle);
    handle->block_time_ns = live_block_time_ns(order->settings);
    handle->nic_dropped_before = nic_dropped(handle->device);
    *result = activate_largest(handle, order, error);
    if (*result == LIVE_OPENED)
        *result = configure(handle, order, settling, error);
    if (*result == LIVE_OPENED)
        return handle;
    live_close(handle);
    return NULL;
}

void live_close(struct live_handle *handle)
{
    if (handle == NULL)
        return;
    live_filter_free(atomic_load(&handle->next_filter));
    if (handle->pcap != NULL)
        pcap_close(handle->pcap);
    free(handle);
}

int64_t live_block_time_ns(const struct capture_settings *settings)
{
    return (2 * (int64_t)settings->timeout_ms + 5) * NS_PER_MS;
}
