#include "base/message.h"

#include <assert.h>
#include <stddef.h>

void message_init(struct message *message, uint16_t kind, const struct message_ops *ops, unsigned receivers,
                  int64_t deadline_ns)
{
    assert(receivers > 0);
    message->kind = kind;
    message->ops = ops;
    message->deadline_ns = deadline_ns;
    atomic_init(&message->holders, 2);
    atomic_init(&message->awaited, receivers);
    atomic_init(&message->cancelled, false);
    latch_close(&message->finished, 1);
}

bool message_is_wanted(const struct message *message, int64_t now_ns)
{
    return !atomic_load_explicit(&message->cancelled, memory_order_relaxed) && now_ns < message->deadline_ns;
}

void message_arrive(struct message *message)
{
    unsigned awaited = atomic_fetch_sub_explicit(&message->awaited, 1, memory_order_acq_rel);
    assert(awaited > 0);
    if (awaited > 1)
        return;
    if (message->ops->complete != NULL)
        message->ops->complete(message);
    else
        message_finish(message);
}

void message_finish(struct message *message)
{
    bool last = latch_arrive(&message->finished);
    assert(last); // finished once
    latch_open(&message->finished);
    message_release(message);
}

bool message_wait(struct message *message, int timeout_ms)
{
    return latch_wait(&message->finished, timeout_ms);
}

bool message_is_finished(struct message *message)
{
    return latch_is_open(&message->finished);
}

void message_cancel(struct message *message)
{
    atomic_store_explicit(&message->cancelled, true, memory_order_relaxed);
    message_release(message);
}

void message_release(struct message *message)
{
    // Whoever keeps the message may fill it anew once nobody holds it.
    const struct message_ops *ops = message->ops;
    unsigned holders = atomic_fetch_sub_explicit(&message->holders, 1, memory_order_acq_rel);
    assert(holders > 0);
    if (holders == 1)
        ops->destroy(message);
}
