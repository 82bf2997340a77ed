#include "pipeline/question.h"

#include <assert.h>
#include <stdlib.h>

#include "pipeline/messages.h"

// All shards have arrived: on to the aggregate, unless the run ends.
static void pass_on(struct message *message)
{
    struct question *question = (struct question *)message;
    struct bell *bell = question->bell; // once it is posted the question is the aggregate's
    if (question->merger != NULL && question->error.kind == ERROR_NONE) {
        enum mailbox_result result = mailbox_post(question->merger, message);
        if (result == MAILBOX_POSTED) {
            bell_ring(bell);
            return;
        }
        if (result == MAILBOX_FULL)
            error_set(&question->error, ERROR_EXHAUSTED,
                      "%d answers wait to be given out already: ask again in a moment", MAILBOX_MESSAGES);
        else
            error_set(&question->error, ERROR_UNAVAILABLE,
                      "the run ended before the answer was there: ask again");
    }
    question_merge(question);
    question_finish(question);
}

static void destroy(struct message *message)
{
    struct question *question = (struct question *)message;
    assert(question->listing == NULL);
    for (unsigned i = 0; i < question->shards; i++)
        flow_asked_done(&question->asked[i]);
    flow_page_release(question->page);
    flow_selection_release(question->query.selection);
    free(question);
}

static const struct message_ops question_ops = {.complete = pass_on, .destroy = destroy};

struct question *question_create(const struct flow_query *query, unsigned shards, int64_t deadline_ns)
{
    assert(shards > 0 && shards <= PIPELINE_WORKERS);
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return NULL;
    message_init(&question->message, MESSAGE_QUESTION, &question_ops, shards, deadline_ns);
    question->query = *query;
    flow_selection_hold(query->selection);
    while (question->shards < shards) {
        if (!flow_asked_init(&question->asked[question->shards++], query)) {
            destroy(&question->message);
            return NULL;
        }
    }
    return question;
}

struct question *question_create_page(struct flow_listings *listings, struct flow_listing *listing,
                                      unsigned shards, int64_t deadline_ns)
{
    struct question *question = question_create(flow_listing_query(listing), shards, deadline_ns);
    if (question == NULL)
        return NULL;
    question->listings = listings;
    question->listing = listing;
    for (unsigned i = 0; i < shards; i++)
        question->asked[i].shown = flow_listing_shown(listing, i);
    return question;
}

static bool all_have_answered(const struct question *question)
{
    for (unsigned i = 0; i < question->shards; i++)
        if (!question->asked[i].answered)
            return false;
    return true;
}

bool question_merge(struct question *question)
{
    if (question->error.kind != ERROR_NONE)
        return false;
    if (!all_have_answered(question))
        return error_set(&question->error, ERROR_CANCELLED,
                         "the question was given up before all flows were looked at: ask again, for longer");
    question->page = flow_page_merge(&question->query, question->asked, question->shards);
    return question->page != NULL ||
           error_set(&question->error, ERROR_EXHAUSTED, "no memory for the answer: ask for fewer flows");
}

void question_finish(struct question *question)
{
    struct flow_listing *listing = question->listing;
    question->listing = NULL;
    if (listing != NULL && question->page == NULL) {
        flow_listings_give_up(question->listings, listing);
    } else if (listing != NULL && !flow_listings_turn(question->listings, listing, question->asked,
                                                      question->page, &question->error)) {
        flow_page_release(question->page);
        question->page = NULL;
    }
    message_finish(&question->message);
}
