#include "capture/live/link_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cursor.h"

enum { NETLINK_BUFFER_BYTES = 32 * 1024, DUMP_TIMEOUT_S = 2 };

struct link_watch {
    int fd;
    bool dumping; // the end of a dump is awaited
    struct link *links;
    unsigned count, rows;
    _Alignas(struct nlmsghdr) uint8_t buffer[NETLINK_BUFFER_BYTES];
};

static struct link *find_index(const struct link_watch *watch, uint32_t index)
{
    for (unsigned i = 0; i < watch->count; i++)
        if (watch->links[i].index == index)
            return &watch->links[i];
    return NULL;
}

static void put_link(struct link_watch *watch, const struct link *link)
{
    struct link *row = find_index(watch, link->index);
    if (row != NULL) {
        *row = *link;
        return;
    }
    if (watch->count == watch->rows) {
        unsigned rows = watch->rows == 0 ? 32 : 2 * watch->rows;
        struct link *grown = realloc(watch->links, rows * sizeof *grown);
        if (grown == NULL)
            return;
        watch->links = grown;
        watch->rows = rows;
    }
    watch->links[watch->count++] = *link;
}

static void remove_link(struct link_watch *watch, uint32_t index)
{
    struct link *row = find_index(watch, index);
    if (row != NULL)
        *row = watch->links[--watch->count];
}

// The name of a link message, from its attributes (host byte order, aligned to four).
static bool read_name(struct cursor attributes, char name[IF_NAMESIZE])
{
    while (cursor_left(&attributes) >= sizeof(struct rtattr)) {
        struct rtattr attribute;
        cursor_copy(&attributes, &attribute, sizeof attribute);
        if (attribute.rta_len < sizeof attribute)
            return false;
        size_t length = attribute.rta_len - sizeof attribute;
        struct cursor value = cursor_sub(&attributes, length);
        if (attribute.rta_type == IFLA_IFNAME && !value.failed && length > 0) {
            memset(name, 0, IF_NAMESIZE);
            memcpy(name, value.at, length < IF_NAMESIZE ? length : IF_NAMESIZE - 1);
            return true;
        }
        cursor_skip(&attributes, -length & 3);
    }
    return false;
}

static void take_message(struct link_watch *watch, uint16_t type, struct cursor body)
{
    struct ifinfomsg info;
    cursor_copy(&body, &info, sizeof info);
    struct link link = {
        .index = (uint32_t)info.ifi_index,
        .up = (info.ifi_flags & IFF_UP) != 0,
        .running = (info.ifi_flags & IFF_RUNNING) != 0,
        .loopback = (info.ifi_flags & IFF_LOOPBACK) != 0,
    };
    if (body.failed)
        return;
    if (type == RTM_DELLINK && info.ifi_family == AF_UNSPEC)
        remove_link(watch, link.index);
    else if (type == RTM_NEWLINK && read_name(body, link.name))
        put_link(watch, &link);
}

static void take_messages(struct link_watch *watch, size_t length)
{
    struct cursor messages = cursor_of(watch->buffer, length);
    while (cursor_left(&messages) >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr header;
        cursor_copy(&messages, &header, sizeof header);
        if (header.nlmsg_len < sizeof header)
            return;
        size_t body_length = header.nlmsg_len - sizeof header;
        struct cursor body = cursor_sub(&messages, body_length);
        if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR)
            watch->dumping = false;
        else
            take_message(watch, header.nlmsg_type, body);
        cursor_skip(&messages, -body_length & 3);
    }
}

static bool ask_for_all(struct link_watch *watch)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg info;
    } request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = RTM_GETLINK,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .info = {.ifi_family = AF_UNSPEC},
    };
    watch->count = 0;
    watch->dumping = true;
    return send(watch->fd, &request, sizeof request, 0) == (ssize_t)sizeof request;
}

// Reads all links afresh; the kernel answers a dump at once.
static bool dump(struct link_watch *watch)
{
    if (!ask_for_all(watch))
        return false;
    while (watch->dumping) {
        ssize_t length = recv(watch->fd, watch->buffer, sizeof watch->buffer, 0);
        if (length < 0 && errno != EINTR && errno != ENOBUFS)
            return false;
        if (length > 0)
            take_messages(watch, (size_t)length);
    }
    return true;
}

struct link_watch *link_watch_open(struct error *error)
{
    struct link_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) {
        error_set(error, ERROR_EXHAUSTED, "the interfaces cannot be followed: no memory");
        return NULL;
    }
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    struct timeval timeout = {.tv_sec = DUMP_TIMEOUT_S};
    watch->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    bool opened = watch->fd >= 0 && bind(watch->fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                  setsockopt(watch->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0 &&
                  dump(watch);
    if (opened)
        return watch;
    error_set(error, ERROR_UNAVAILABLE, "the interfaces cannot be followed: netlink: %s", strerror(errno));
    link_watch_close(watch);
    return NULL;
}

void link_watch_close(struct link_watch *watch)
{
    if (watch == NULL)
        return;
    if (watch->fd >= 0)
        close(watch->fd);
    free(watch->links);
    free(watch);
}

int link_watch_fd(const struct link_watch *watch)
{
    return watch->fd;
}

bool link_watch_read(struct link_watch *watch)
{
    bool changed = false;
    for (;;) {
        ssize_t length = recv(watch->fd, watch->buffer, sizeof watch->buffer, MSG_DONTWAIT);
        if (length > 0) {
            take_messages(watch, (size_t)length);
        } else if (length < 0 && errno == ENOBUFS) { // changes were lost
            dump(watch);
        } else if (length == 0 || errno != EINTR) {
            return changed;
        }
        changed = true;
    }
}

const struct link *link_watch_links(const struct link_watch *watch, unsigned *count)
{
    *count = watch->count;
    return watch->links;
}

const struct link *link_by_name(const struct link_watch *watch, const char *name)
{
    for (unsigned i = 0; i < watch->count; i++)
        if (strcmp(watch->links[i].name, name) == 0)
            return &watch->links[i];
    return NULL;
}

const struct link *link_by_index(const struct link_watch *watch, uint32_t index)
{
    return find_index(watch, index);
}
