#include "pipeline/question.h"

#include <stdlib.h>

struct question *question_create(const struct flow_query *query, unsigned shards)
{
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return NULL;
    question->query = *query;
    for (; question->shards < shards; question->shards++) {
        if (!flow_answer_init(&question->answers[question->shards], query)) {
            question_destroy(question);
            return NULL;
        }
    }
    latch_close(&question->answered, shards);
    return question;
}

void question_destroy(struct question *question)
{
    if (question == NULL)
        return;
    for (unsigned i = 0; i < question->shards; i++)
        flow_answer_done(&question->answers[i]);
    free(question);
}

void question_arrive(struct question *question)
{
    if (latch_arrive(&question->answered))
        latch_open(&question->answered);
}

void question_await(struct question *question, struct flow_answer *out)
{
    latch_wait(&question->answered, -1);
    *out = question->answers[0];
    question->answers[0] = (struct flow_answer){0};
    for (unsigned i = 1; i < question->shards; i++) {
        struct flow_answer *answer = &question->answers[i];
        out->matched += answer->matched;
        out->looked_at += answer->looked_at;
        for (unsigned row = 0; row < answer->count; row++)
            flow_answer_offer(out, &question->query, &answer->rows[row]);
        answer->count = 0; // the names moved
    }
    flow_answer_sort(out, &question->query);
}
