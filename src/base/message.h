// A message: what one thread asks of others (a question, new settings), on its way through their mailboxes. It
// says until when it is wanted, is arrived at once by each receiver, completed by the last of them, and freed by
// whoever holds it last: the asker may leave before the answer comes. A message is the first member of what it
// carries.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/latch.h"

struct message;

struct message_ops {
    // By the last receiver to arrive, on its thread: passes the message on, or NULL = message_finish().
    void (*complete)(struct message *message);
    void (*destroy)(struct message *message); // by the last holder
};

enum { MESSAGE_FOR_EVER = -1 };

struct message {
    uint16_t kind; // of the receivers' own enum
    const struct message_ops *ops;
    int64_t deadline_ns; // monotonic; INT64_MAX = none
    atomic_uint holders;
    atomic_uint awaited; // receivers that have not arrived
    atomic_bool cancelled;
    struct latch finished;
};

// Held by the caller and, until it is finished, by itself. `receivers` is 1 or more.
void message_init(struct message *message, uint16_t kind, const struct message_ops *ops, unsigned receivers,
                  int64_t deadline_ns);

// Receivers: whether anybody still waits for it; else it need not be worked on, but must be arrived at.
bool message_is_wanted(const struct message *message, int64_t now_ns);
// Each receiver, once, when it has done its part or never will; the message is not its any more.
void message_arrive(struct message *message);
// Whoever completes it: everything is there. Not touched after.
void message_finish(struct message *message);

// The asker: waits until it is finished, `timeout_ms` at most.
bool message_wait(struct message *message, int timeout_ms);
bool message_is_finished(struct message *message);
// The asker does not want it any more, or has taken what came; not touched after.
void message_cancel(struct message *message);
void message_release(struct message *message);
