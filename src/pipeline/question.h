// A question to all shards, on its way through their mailboxes. Whoever asks owns it and waits until every
// shard has arrived at its latch; until then each shard writes its own answer and nothing else.
#pragma once

#include "base/latch.h"
#include "flow/query.h"
#include "pipeline/tick.h"

struct question {
    struct flow_query query;
    struct latch answered;
    unsigned shards;
    struct flow_answer answers[PIPELINE_WORKERS]; // by shard
};

// NULL without memory.
struct question *question_create(const struct flow_query *query, unsigned shards);
void question_destroy(struct question *question); // takes NULL

// A shard has answered, or never will.
void question_arrive(struct question *question);
// Waits for all shards and merges their answers into one, which is the caller's to end.
void question_await(struct question *question, struct flow_answer *out);
