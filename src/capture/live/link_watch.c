#include "capture/live/link_watch.h"

#include <assert.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cursor.h"

enum { MESSAGES_BYTES = 32 * 1024, SOCKET_BYTES = 1024 * 1024, DUMP_TIMEOUT_S = 2, DUMP_TRIES = 8 };

struct link_table {
    struct link *links;
    unsigned count, rows;
    bool whole; // nothing that was told of is missing
};

enum dump_state { DUMP_GOES_ON, DUMP_DONE, DUMP_FAILED };

struct link_watch {
    int fd;
    uint32_t sequence; // of the last dump
    enum dump_state dump;
    struct link_table now, next;
    struct link_table *filled; // by messages: `next` during a dump
    _Alignas(struct nlmsghdr) uint8_t buffer[MESSAGES_BYTES];
};

static struct link *find_index(const struct link_table *table, uint32_t index)
{
    for (unsigned i = 0; i < table->count; i++)
        if (table->links[i].index == index)
            return &table->links[i];
    return NULL;
}

static void put_link(struct link_table *table, const struct link *link)
{
    struct link *row = find_index(table, link->index);
    if (row != NULL) {
        *row = *link;
        return;
    }
    if (table->count == table->rows) {
        unsigned rows = table->rows == 0 ? 32 : 2 * table->rows;
        struct link *grown = realloc(table->links, rows * sizeof *grown);
        table->whole &= grown != NULL;
        if (grown == NULL)
            return;
        table->links = grown;
        table->rows = rows;
    }
    table->links[table->count++] = *link;
}

static void remove_link(struct link_table *table, uint32_t index)
{
    struct link *row = find_index(table, index);
    if (row != NULL)
        *row = table->links[--table->count];
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
        remove_link(watch->filled, link.index);
    else if (type == RTM_NEWLINK && read_name(body, link.name))
        put_link(watch->filled, &link);
}

// What ends an answer is for the last question, or is left over from one before.
static void take_end(struct link_watch *watch, const struct nlmsghdr *header)
{
    if (header->nlmsg_seq == watch->sequence && watch->dump == DUMP_GOES_ON)
        watch->dump = header->nlmsg_type == NLMSG_DONE ? DUMP_DONE : DUMP_FAILED;
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
        bool interrupted = (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0; // the links changed meanwhile
        watch->filled->whole &= !interrupted || header.nlmsg_seq != watch->sequence;
        if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR)
            take_end(watch, &header);
        else
            take_message(watch, header.nlmsg_type, body);
        cursor_skip(&messages, -body_length & 3);
    }
}

// --- Reading all afresh ---

// What still waits is older than the answer to come, and incomplete when changes were lost.
static void empty_socket(struct link_watch *watch)
{
    ssize_t length;
    do
        length = recv(watch->fd, watch->buffer, sizeof watch->buffer, MSG_DONTWAIT);
    while (length > 0 || (length < 0 && (errno == ENOBUFS || errno == EINTR)));
}

static bool ask_for_all(struct link_watch *watch)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg info;
    } request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = RTM_GETLINK,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                   .nlmsg_seq = ++watch->sequence},
        .info = {.ifi_family = AF_UNSPEC},
    };
    watch->dump = DUMP_GOES_ON;
    return send(watch->fd, &request, sizeof request, 0) == (ssize_t)sizeof request;
}

// One try, into `next`; the kernel answers at once. Changes that come meanwhile are in their place among the answer.
static bool fill_next(struct link_watch *watch)
{
    empty_socket(watch);
    watch->next.count = 0;
    watch->next.whole = true;
    if (!ask_for_all(watch))
        return false;
    while (watch->dump == DUMP_GOES_ON) {
        ssize_t length = recv(watch->fd, watch->buffer, sizeof watch->buffer, 0);
        if (length > 0)
            take_messages(watch, (size_t)length);
        else if (length == 0 || errno != EINTR)
            return false;
    }
    return watch->dump == DUMP_DONE && watch->next.whole;
}

// What was known stays until all is known afresh.
static bool dump(struct link_watch *watch)
{
    assert(watch->filled == &watch->now);
    bool filled = false;
    watch->filled = &watch->next;
    for (unsigned i = 0; i < DUMP_TRIES && !filled; i++)
        filled = fill_next(watch);
    watch->filled = &watch->now;
    watch->now.whole = false;
    if (!filled)
        return false;
    struct link_table before = watch->now;
    watch->now = watch->next;
    watch->next = before;
    return true;
}

struct link_watch *link_watch_open(struct error *error)
{
    struct link_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) {
        error_set(error, ERROR_EXHAUSTED, "the interfaces cannot be followed: no memory");
        return NULL;
    }
    watch->filled = &watch->now;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    struct timeval timeout = {.tv_sec = DUMP_TIMEOUT_S};
    int bytes = SOCKET_BYTES;
    watch->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    bool opened = watch->fd >= 0 && bind(watch->fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                  setsockopt(watch->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0 &&
                  setsockopt(watch->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0 && dump(watch);
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
    free(watch->now.links);
    free(watch->next.links);
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
        if (length > 0)
            take_messages(watch, (size_t)length);
        else if (length < 0 && errno == ENOBUFS) // changes were lost
            watch->now.whole = false;
        else if (length == 0 || errno != EINTR)
            break;
        changed = true;
    }
    return !watch->now.whole ? dump(watch) || changed : changed;
}

const struct link *link_watch_links(const struct link_watch *watch, unsigned *count)
{
    *count = watch->now.count;
    return watch->now.links;
}

const struct link *link_by_name(const struct link_watch *watch, const char *name)
{
    for (unsigned i = 0; i < watch->now.count; i++)
        if (strcmp(watch->now.links[i].name, name) == 0)
            return &watch->now.links[i];
    return NULL;
}

const struct link *link_by_index(const struct link_watch *watch, uint32_t index)
{
    return find_index(&watch->now, index);
}
