// A question to all shards: a message that carries a query and every shard's answer. Each shard writes its own and
// nothing else; when the last one has arrived, the aggregate thread merges them into a page.
#pragma once

#include "base/bell.h"
#include "base/error.h"
#include "base/mailbox.h"
#include "base/message.h"
#include "flow/listing.h"
#include "pipeline/tick.h"

struct question {
    struct message message;  // first
    struct flow_query query; // its selection is held
    // Of which listing the page is, borrowed from `listings`: NULL = none. They live until the question is finished.
    struct flow_listings *listings;
    struct flow_listing *listing;
    // Where it goes when all shards have answered: the aggregate's. NULL: it is merged where the last shard runs.
    struct mailbox *merger;
    struct bell *bell;
    unsigned shards;
    struct flow_asked asked[PIPELINE_WORKERS]; // by shard
    // When it is finished:
    struct error error;     // kind ERROR_NONE: there is a page
    struct flow_page *page; // of all shards, in order; held
};

// Held by the caller. NULL without memory.
struct question *question_create(const struct flow_query *query, unsigned shards, int64_t deadline_ns);
// The same for the next page of a listing, which it gives back when it is finished, turned or not. The caller does when
// there is no memory.
struct question *question_create_page(struct flow_listings *listings, struct flow_listing *listing,
                                      unsigned shards, int64_t deadline_ns);

// The aggregate: merges what the shards found. False, with question->error, when not all of them have answered.
bool question_merge(struct question *question);
// Then, when the page is as it will be given out: turns it, and finishes the message.
void question_finish(struct question *question);
