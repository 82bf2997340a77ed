// A mailbox: any thread posts messages, one owner takes them between two pieces of its work. Bounded; an
// empty one costs its owner one load. What becomes of a message tells base/message.h.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct message;

enum { MAILBOX_MESSAGES = 64 };

enum mailbox_result {
    MAILBOX_POSTED,
    MAILBOX_FULL,
    MAILBOX_CLOSED, // the owner takes nothing any more
};

struct mailbox {
    pthread_mutex_t lock;
    atomic_uint waiting;
    bool closed;
    unsigned first; // of the ring messages[]
    struct message *messages[MAILBOX_MESSAGES];
};

void mailbox_init(struct mailbox *mailbox); // closed
void mailbox_done(struct mailbox *mailbox);

// Any thread.
enum mailbox_result mailbox_post(struct mailbox *mailbox, struct message *message);

// The owner: the oldest message, NULL when there is none.
struct message *mailbox_take(struct mailbox *mailbox);
static inline bool mailbox_is_empty(struct mailbox *mailbox)
{
    return atomic_load_explicit(&mailbox->waiting, memory_order_acquire) == 0;
}
// The owner: lets things come, and refuses them again. What was posted before can be taken still.
void mailbox_open(struct mailbox *mailbox);
void mailbox_close(struct mailbox *mailbox);
