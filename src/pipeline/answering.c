#include "pipeline/answering.h"

#include <assert.h>
#include <string.h>

#include "pipeline/question.h"

// Some 30 us: what a batch may have to wait.
enum { SLICE_LOOKS = 2048 };

void answering_add(struct answering *answering, struct question *question)
{
    assert(answering_has_room(answering));
    answering->questions[answering->count++] = question;
}

static unsigned least(unsigned one, unsigned other)
{
    return one < other ? one : other;
}

static void begin_round(struct answering *answering, const struct flow_table *table, unsigned number)
{
    unsigned count = least(answering->count, FLOW_ROUND);
    answering->round = (struct flow_round){0};
    for (unsigned i = 0; i < count; i++)
        flow_round_add(&answering->round, table, &answering->questions[i]->asked[number]);
}

static void give_up_unwanted(struct answering *answering, int64_t now_ns)
{
    for (unsigned i = 0; i < answering->round.count; i++) {
        struct question *question = answering->questions[i];
        if (question == NULL || message_is_wanted(&question->message, now_ns))
            continue;
        flow_round_give_up(&answering->round, i);
        answering->questions[i] = NULL;
        message_arrive(&question->message);
    }
}

static void end_round(struct answering *answering)
{
    unsigned ended = answering->round.count;
    for (unsigned i = 0; i < ended; i++)
        if (answering->questions[i] != NULL)
            message_arrive(&answering->questions[i]->message);
    answering->count -= ended;
    memmove(answering->questions, answering->questions + ended, answering->count * sizeof(struct question *));
    answering->round.count = 0;
}

void answering_go_on(struct answering *answering, const struct flow_table *table, unsigned number,
                     int64_t now_ns)
{
    assert(answering->count > 0);
    if (answering->round.count == 0)
        begin_round(answering, table, number);
    give_up_unwanted(answering, now_ns);
    if (flow_table_answer(table, &answering->round, SLICE_LOOKS))
        end_round(answering);
}
