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

// The first questions are those of the round, in its order.
static void join_round(struct answering *answering, const struct flow_table *table, unsigned number)
{
    struct flow_round *round = &answering->round;
    while (round->count < FLOW_ROUND && round->count < answering->count)
        flow_round_add(round, table, &answering->questions[round->count]->asked[number]);
}

// The shard is done with question `place`.
static void leave(struct answering *answering, unsigned place)
{
    assert(place < answering->count);
    struct question **questions = answering->questions, *question = questions[place];
    memmove(&questions[place], &questions[place + 1],
            (--answering->count - place) * sizeof(struct question *));
    message_arrive(&question->message);
}

static void give_up_unwanted(struct answering *answering, int64_t now_ns)
{
    for (unsigned i = 0; i < answering->round.count;) {
        if (message_is_wanted(&answering->questions[i]->message, now_ns)) {
            i++;
            continue;
        }
        flow_round_give_up(&answering->round, i);
        leave(answering, i);
    }
}

void answering_go_on(struct answering *answering, const struct flow_table *table, unsigned number,
                     int64_t now_ns)
{
    assert(answering->count > 0);
    join_round(answering, table, number);
    give_up_unwanted(answering, now_ns);
    unsigned asked = answering->round.count;
    assert(asked <= answering->count);
    flow_table_answer(table, &answering->round, SLICE_LOOKS);
    for (unsigned answered = asked - answering->round.count; answered > 0; answered--)
        leave(answering, 0);
}
