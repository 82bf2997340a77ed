// A question to all shards: a message that carries a query and every shard's answer. Each shard writes its own and
// nothing else; when the last one has arrived, the aggregate thread merges them.
#pragma once

#include "base/bell.h"
#include "base/error.h"
#include "base/mailbox.h"
#include "base/message.h"
#include "flow/query.h"
#include "pipeline/tick.h"

struct question {
    struct message message; // first
    struct flow_query query;
    // Where it goes when all shards have answered: the aggregate's. NULL: it is merged where the last shard runs.
    struct mailbox *merger;
    struct bell *bell;
    unsigned shards;
    struct flow_answer answers[PIPELINE_WORKERS]; // by shard
    // When it is finished:
    struct error error;        // kind ERROR_NONE: there is an answer
    struct flow_answer answer; // of all shards, in order
};

// Held by the caller. NULL without memory.
struct question *question_create(const struct flow_query *query, unsigned shards, int64_t deadline_ns);

// The aggregate: merges what the shards found.
void question_merge(struct question *question);
