#include "base/mailbox.h"

#include <stddef.h>

void mailbox_init(struct mailbox *mailbox)
{
    *mailbox = (struct mailbox){.lock = PTHREAD_MUTEX_INITIALIZER, .closed = true};
}

void mailbox_done(struct mailbox *mailbox)
{
    pthread_mutex_destroy(&mailbox->lock);
}

enum mailbox_result mailbox_post(struct mailbox *mailbox, void *item)
{
    enum mailbox_result result = MAILBOX_POSTED;
    pthread_mutex_lock(&mailbox->lock);
    unsigned waiting = atomic_load_explicit(&mailbox->waiting, memory_order_relaxed);
    if (mailbox->closed) {
        result = MAILBOX_CLOSED;
    } else if (waiting == MAILBOX_ITEMS) {
        result = MAILBOX_FULL;
    } else {
        mailbox->items[(mailbox->first + waiting) % MAILBOX_ITEMS] = item;
        atomic_store_explicit(&mailbox->waiting, waiting + 1, memory_order_release);
    }
    pthread_mutex_unlock(&mailbox->lock);
    return result;
}

void *mailbox_take(struct mailbox *mailbox)
{
    if (mailbox_is_empty(mailbox))
        return NULL;
    pthread_mutex_lock(&mailbox->lock);
    void *item = mailbox->items[mailbox->first];
    mailbox->first = (mailbox->first + 1) % MAILBOX_ITEMS;
    unsigned waiting = atomic_load_explicit(&mailbox->waiting, memory_order_relaxed);
    atomic_store_explicit(&mailbox->waiting, waiting - 1, memory_order_release);
    pthread_mutex_unlock(&mailbox->lock);
    return item;
}

static void set_closed(struct mailbox *mailbox, bool closed)
{
    pthread_mutex_lock(&mailbox->lock);
    mailbox->closed = closed;
    pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_open(struct mailbox *mailbox)
{
    set_closed(mailbox, false);
}

void mailbox_close(struct mailbox *mailbox)
{
    set_closed(mailbox, true);
}
