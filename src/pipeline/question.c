#include "pipeline/question.h"

#include <stdlib.h>

#include "pipeline/messages.h"

// All shards have arrived: on to the aggregate, unless the run ends or nobody waits any more.
static void pass_on(struct message *message)
{
    struct question *question = (struct question *)message;
    if (question->error.kind == ERROR_NONE && question->merger == NULL) {
        question_merge(question);
    } else if (question->error.kind == ERROR_NONE) {
        if (mailbox_post(question->merger, message) == MAILBOX_POSTED) {
            bell_ring(question->bell);
            return;
        }
        error_set(&question->error, ERROR_UNAVAILABLE,
                  "the run ended before the answer was there: ask again");
    }
    message_finish(message);
}

static void destroy(struct message *message)
{
    struct question *question = (struct question *)message;
    for (unsigned i = 0; i < question->shards; i++)
        flow_answer_done(&question->answers[i]);
    flow_answer_done(&question->answer);
    free(question);
}

static const struct message_ops question_ops = {.complete = pass_on, .destroy = destroy};

struct question *question_create(const struct flow_query *query, unsigned shards, int64_t deadline_ns)
{
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return NULL;
    message_init(&question->message, MESSAGE_QUESTION, &question_ops, shards, deadline_ns);
    question->query = *query;
    for (; question->shards < shards; question->shards++) {
        if (!flow_answer_init(&question->answers[question->shards], query)) {
            destroy(&question->message);
            return NULL;
        }
    }
    return question;
}

void question_merge(struct question *question)
{
    struct flow_answer *into = &question->answer;
    *into = question->answers[0];
    question->answers[0] = (struct flow_answer){0};
    for (unsigned i = 1; i < question->shards; i++) {
        struct flow_answer *answer = &question->answers[i];
        into->matched += answer->matched;
        into->looked_at += answer->looked_at;
        for (unsigned row = 0; row < answer->count; row++)
            flow_answer_offer(into, &question->query, &answer->rows[row]);
        answer->count = 0; // the names moved
    }
    flow_answer_sort(into, &question->query);
}
