// What other threads ask of a run: they post messages to the shards and to the source, and never touch what is theirs.
#include <assert.h>
#include <sched.h>
#include <stdlib.h>

#include "pipeline/pipeline_parts.h"

static bool not_running(struct error *error)
{
    return error_set(error, ERROR_FAILED_PRECONDITION,
                     "nothing is captured: the run has not begun, or it has ended");
}

static bool refuse(enum mailbox_result result, struct error *error)
{
    if (result == MAILBOX_CLOSED)
        return not_running(error);
    return error_set(error, ERROR_EXHAUSTED,
                     "%d questions or changes are on their way already: try again in a moment",
                     MAILBOX_MESSAGES);
}

static void destroy_message(struct message *message)
{
    free(message);
}

static const struct message_ops change_ops = {.destroy = destroy_message};

// Whoever has to get its message through waits for a place: mailboxes are emptied between two batches.
static enum mailbox_result post_patiently(struct mailbox *mailbox, struct message *message)
{
    enum mailbox_result result;
    while ((result = mailbox_post(mailbox, message)) == MAILBOX_FULL)
        message_wait(message, 1);
    return result;
}

static enum mailbox_result post_to_worker(struct worker *worker, struct message *message)
{
    enum mailbox_result result;
    while ((result = worker_post(worker, message)) == MAILBOX_FULL)
        message_wait(message, 1);
    return result;
}

// --- Taps ---

static void keep_message(struct message *message)
{
    (void)message; // it is the pipeline's
}

static const struct message_ops tap_ops = {.destroy = keep_message};

static void take_tap(struct pipeline *pipeline, const struct tap_message *message)
{
    if (message->begins)
        dispatch_add_tap(&pipeline->dispatch, message->tap);
    else
        dispatch_remove_tap(&pipeline->dispatch, message->tap);
}

// Posts, and waits for the source's thread. Before and after the run it is not there: the caller does it itself. Under
// the lock.
static void post_tap(struct pipeline *pipeline, struct tap *tap, bool begins)
{
    struct tap_message *message = &pipeline->tap_message;
    message->tap = tap;
    message->begins = begins;
    message_init(&message->message, MESSAGE_TAP, &tap_ops, 1, INT64_MAX);
    if (post_patiently(&pipeline->source_box, &message->message) == MAILBOX_CLOSED) {
        take_tap(pipeline, message);
        message_arrive(&message->message);
    }
    message_wait(&message->message, MESSAGE_FOR_EVER);
    message_release(&message->message);
    // The source's thread lets go of it a moment after it was finished; then it may be used again.
    while (atomic_load_explicit(&message->message.holders, memory_order_acquire) != 0)
        sched_yield();
}

bool pipeline_add_tap(struct pipeline *pipeline, struct tap *tap, struct error *error)
{
    pthread_mutex_lock(&pipeline->tapping);
    bool room = pipeline->taps < DISPATCH_TAPS;
    if (room) {
        post_tap(pipeline, tap, true);
        pipeline->taps++;
    }
    pthread_mutex_unlock(&pipeline->tapping);
    return room ||
           error_set(error, ERROR_EXHAUSTED,
                     "packets are recorded and told %d times already: end one of them first", DISPATCH_TAPS);
}

void pipeline_remove_tap(struct pipeline *pipeline, struct tap *tap)
{
    pthread_mutex_lock(&pipeline->tapping);
    assert(pipeline->taps > 0);
    post_tap(pipeline, tap, false);
    pipeline->taps--;
    pthread_mutex_unlock(&pipeline->tapping);
}

// --- Settings ---

static struct change_message *create_change(const struct pipeline_change *change, unsigned receivers)
{
    struct change_message *message = malloc(sizeof *message);
    if (message == NULL)
        return NULL;
    message_init(&message->message, MESSAGE_CHANGE, &change_ops, receivers, INT64_MAX);
    message->change = *change;
    return message;
}

// Every shard gets it, or the run has ended.
static bool post_change(struct pipeline *pipeline, const struct pipeline_change *change, struct error *error)
{
    unsigned workers = pipeline->setup.workers, posted = 0;
    struct change_message *message = create_change(change, workers + 1);
    if (message == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for the new settings");
    if (post_patiently(&pipeline->source_box, &message->message) == MAILBOX_POSTED)
        for (posted = 1; posted <= workers; posted++)
            if (post_to_worker(pipeline->workers[posted - 1], &message->message) != MAILBOX_POSTED)
                break;
    for (unsigned i = posted; i <= workers; i++)
        message_arrive(&message->message);
    message_release(&message->message);
    return posted > workers || not_running(error);
}

bool pipeline_change(struct pipeline *pipeline, const struct pipeline_change *change, struct error *error)
{
    uint32_t most = pipeline->setup.policy.max_flows;
    if (most != 0 && (change->policy.max_flows == 0 || change->policy.max_flows > most))
        return error_set(error, ERROR_FAILED_PRECONDITION,
                         "flow.max_flows cannot rise above the %u that the run began with: start it again",
                         most);
    return post_change(pipeline, change, error);
}

// --- Questions ---

static struct question *address_question(struct pipeline *pipeline, struct question *question,
                                         struct error *error)
{
    if (question == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for the answer: ask for fewer flows");
        return NULL;
    }
    question->merger = &pipeline->answers;
    question->bell = &pipeline->merging;
    return question;
}

struct question *pipeline_question(struct pipeline *pipeline, const struct flow_query *query,
                                   int64_t deadline_ns, struct error *error)
{
    if (!flow_query_check(query, error))
        return NULL;
    return address_question(pipeline, question_create(query, pipeline->setup.workers, deadline_ns), error);
}

bool pipeline_list(struct pipeline *pipeline, const struct flow_query *query, const char *token,
                   int64_t deadline_ns, struct pipeline_listed *out, struct error *error)
{
    struct flow_listing *listing;
    *out = (struct pipeline_listed){0};
    if (token != NULL && !flow_listings_resume(pipeline->listings, token, &listing, &out->again, error))
        return false;
    if (out->again != NULL)
        return true;
    if (token == NULL) {
        if (!flow_query_check(query, error))
            return false;
        listing = flow_listings_begin(pipeline->listings, query, error);
        if (listing == NULL)
            return false;
    }
    struct question *question =
        question_create_page(pipeline->listings, listing, pipeline->setup.workers, deadline_ns);
    if (question == NULL)
        flow_listings_give_up(pipeline->listings, listing);
    out->question = address_question(pipeline, question, error);
    return out->question != NULL;
}

// A shard that does not take the question arrives at it all the same: the others may be answering already.
bool pipeline_ask(struct pipeline *pipeline, struct question *question, struct error *error)
{
    for (unsigned i = 0; i < pipeline->setup.workers; i++) {
        enum mailbox_result result = worker_post(pipeline->workers[i], &question->message);
        if (result == MAILBOX_POSTED)
            continue;
        refuse(result, error);
        question->error = *error;
        for (; i < pipeline->setup.workers; i++)
            message_arrive(&question->message);
        return false;
    }
    return true;
}

bool pipeline_post(struct pipeline *pipeline, struct message *message, struct error *error)
{
    assert(message->kind == MESSAGE_SERVICE);
    enum mailbox_result result = mailbox_post(&pipeline->answers, message);
    if (result != MAILBOX_POSTED)
        return refuse(result, error);
    bell_ring(&pipeline->merging);
    return true;
}

// --- The source's side ---

void pipeline_serve_source(struct pipeline *pipeline)
{
    for (struct message *message; (message = mailbox_take(&pipeline->source_box)) != NULL;) {
        if (message->kind == MESSAGE_TAP)
            take_tap(pipeline, (const struct tap_message *)message);
        else
            dispatch_set_interval(&pipeline->dispatch,
                                  ((const struct change_message *)message)->change.interval_ns);
        message_arrive(message);
    }
}
