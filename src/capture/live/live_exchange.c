#include "capture/live/live_exchange.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "capture/live/live_handle.h"

bool live_exchange_init(struct live_exchange *exchange)
{
    *exchange = (struct live_exchange){.lock = PTHREAD_MUTEX_INITIALIZER};
    exchange->source_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    exchange->keeper_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return exchange->source_fd >= 0 && exchange->keeper_fd >= 0;
}

void live_exchange_done(struct live_exchange *exchange)
{
    if (exchange->source_fd >= 0)
        close(exchange->source_fd);
    if (exchange->keeper_fd >= 0)
        close(exchange->keeper_fd);
    pthread_mutex_destroy(&exchange->lock);
}

void live_exchange_wake(int fd)
{
    uint64_t one = 1;
    int saved = errno;
    ssize_t written = write(fd, &one, sizeof one);
    (void)written; // full = it was said before
    errno = saved;
}

void live_exchange_heard(int fd)
{
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count);
    (void)got; // nothing = somebody heard it before
}

static void put(struct live_exchange *exchange, struct live_handle **list, struct live_handle *handle)
{
    pthread_mutex_lock(&exchange->lock);
    assert(handle->next == NULL);
    handle->next = *list;
    *list = handle;
    pthread_mutex_unlock(&exchange->lock);
}

static struct live_handle *take(struct live_exchange *exchange, struct live_handle **list)
{
    pthread_mutex_lock(&exchange->lock);
    struct live_handle *handle = *list;
    if (handle != NULL) {
        *list = handle->next;
        handle->next = NULL;
    }
    pthread_mutex_unlock(&exchange->lock);
    return handle;
}

void live_exchange_give(struct live_exchange *exchange, struct live_handle *handle)
{
    put(exchange, &exchange->coming, handle);
    live_exchange_wake(exchange->source_fd);
}

struct live_handle *live_exchange_take_back(struct live_exchange *exchange)
{
    return take(exchange, &exchange->returned);
}

struct live_handle *live_exchange_take(struct live_exchange *exchange)
{
    return take(exchange, &exchange->coming);
}

void live_exchange_return(struct live_exchange *exchange, struct live_handle *handle)
{
    put(exchange, &exchange->returned, handle);
    live_exchange_wake(exchange->keeper_fd);
}
