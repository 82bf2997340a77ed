// The questions of a shard: those that go round the flow table together, and those that wait for room to join them. A
// slice at a time. The shard's owner.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/mailbox.h"
#include "flow/query.h"

struct question;

struct answering {
    struct question *questions[MAILBOX_MESSAGES]; // the oldest first
    unsigned count;
    struct flow_round round; // of the first of them
};

static inline bool answering_has_room(const struct answering *answering)
{
    return answering->count < MAILBOX_MESSAGES;
}

static inline bool answering_is_idle(const struct answering *answering)
{
    return answering->count == 0;
}

void answering_add(struct answering *answering, struct question *question);
// The next slice, for shard `number`. Questions that nobody waits for any more are given up. Needs a question.
void answering_go_on(struct answering *answering, const struct flow_table *table, unsigned number,
                     int64_t now_ns);
