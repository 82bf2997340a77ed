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

enum mailbox_result mailbox_post(struct mailbox *mailbox, struct message *message)
{
    enum mailbox_result result = MAILBOX_POSTED;
    pthread_mutex_lock(&mailbox->lock);
    unsigned waiting = atomic_load_explicit(&mailbox->waiting, memory_order_relaxed);
    if (mailbox->closed) {
        result = MAILBOX_CLOSED;
    } else if (waiting == MAILBOX_MESSAGES) {
        result = MAILBOX_FULL;
    } else {
        mailbox->messages[(mailbox->first + waiting) % MAILBOX_MESSAGES] = message;
        atomic_store_explicit(&mailbox->waiting, waiting + 1, memory_order_release);
    }
    pthread_mutex_unlock(&mailbox->lock);
    return result;
}

struct message *mailbox_take(struct mailbox *mailbox)
{
    if (mailbox_is_empty(mailbox))
        return NULL;
    pthread_mutex_lock(&mailbox->lock);
    struct message *message = mailbox->messages[mailbox->first];
    mailbox->first = (mailbox->first + 1) % MAILBOX_MESSAGES;
    unsigned waiting = atomic_load_explicit(&mailbox->waiting, memory_order_relaxed);
    atomic_store_explicit(&mailbox->waiting, waiting - 1, memory_order_release);
    pthread_mutex_unlock(&mailbox->lock);
    return message;
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
