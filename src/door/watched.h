// What an event of the door's epoll is about: it carries a pointer to one of these.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

enum watched_kind { WATCHED_ORDERS, WATCHED_ENTRANCE, WATCHED_NETWORK, WATCHED_INNER };

struct watched {
    enum watched_kind kind;
    void *owner;
};

// Both ends of a connection are told of at each change (EPOLLET): on any of them all is moved that can be.
enum { WATCHED_ENDS = EPOLLIN | EPOLLOUT | EPOLLRDHUP };

static inline bool watched_add(struct watched *watched, int epoll, int descriptor, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watched};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

// The descriptor's state is told of once more, as if it had changed.
static inline bool watched_again(struct watched *watched, int epoll, int descriptor, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watched};
    return epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) == 0;
}
