#include "flow/query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "flow/selection.h"
#include "flow/table.h"

// What else costs as much as so many looks.
enum { LOOKS_A_RECORD = 8, LOOKS_A_DIGEST = 24, LOOKS_A_ROW = 32 };

bool flow_query_check(const struct flow_query *query, struct error *error)
{
    if (query->limit < 1 || query->limit > FLOW_QUERY_LIMIT)
        return error_set(error, ERROR_INVALID_ARGUMENT, "a question is answered with 1 to %d flows, not %u",
                         FLOW_QUERY_LIMIT, query->limit);
    return (unsigned)query->order.by < FLOW_ORDERS ||
           error_set(error, ERROR_INVALID_ARGUMENT, "flows have no order of number %u",
                     (unsigned)query->order.by);
}

bool flow_asked_init(struct flow_asked *asked, const struct flow_query *query)
{
    assert(query->limit >= 1 && query->limit <= FLOW_QUERY_LIMIT);
    *asked = (struct flow_asked){.query = *query, .began_ns = FLOWS_NOT_BEGUN};
    asked->answer.rows = calloc(query->limit, sizeof *asked->answer.rows);
    return candidates_init(&asked->best, query->limit) && asked->answer.rows != NULL;
}

void flow_asked_done(struct flow_asked *asked)
{
    for (unsigned i = 0; i < asked->answer.count; i++)
        flow_names_free(asked->answer.rows[i].record.names);
    free(asked->answer.rows);
    candidates_done(&asked->best);
    *asked = (struct flow_asked){0};
}

static bool needs_ends(const struct flow_asked *asked)
{
    return flow_order_needs_ends(asked->query.order.by) || asked->shown != NULL ||
           (asked->query.selection != NULL && asked->query.selection->needs_ends);
}

static bool needs_parts(const struct flow_asked *asked)
{
    return flow_order_needs_parts(asked->query.order.by) ||
           (asked->query.selection != NULL && asked->query.selection->needs_parts);
}

// Newer flows have higher numbers, more or less, and are what most questions are about: the walk goes down.
void flow_round_add(struct flow_round *round, const struct flow_table *table, struct flow_asked *asked)
{
    assert(round->count < FLOW_ROUND);
    if (asked->shown != NULL)
        asked->began_ns =
            asked->shown->began_ns != FLOWS_NOT_BEGUN ? asked->shown->began_ns : table->newest_ns;
    round->asked[round->count++] = asked;
    round->ends |= needs_ends(asked);
    round->parts |= needs_parts(asked);
    round->left = table->store.v4.slab.fresh;
}

void flow_round_give_up(struct flow_round *round, unsigned place)
{
    assert(place < round->count);
    round->asked[place] = NULL;
}

// A flow that is looked at; the record is made when the first one needs it.
struct look {
    uint32_t id;
    bool has_record;
    struct flow_face face;
};

// Flows are looked at some at a time, by one question after the other: what a question needs stays at hand, and looks
// that do not depend on each other overlap.
enum { BLOCK = 16 };

struct block {
    const struct flow_table *table;
    unsigned count;
    unsigned looks; // what they cost
    struct look look[BLOCK];
    struct flow_record record[BLOCK];
};

static const struct flow_record *record_of(struct block *block, unsigned i)
{
    if (!block->look[i].has_record) {
        flow_table_peek(block->table, block->look[i].id, &block->record[i]);
        block->look[i].has_record = true;
        block->looks += LOOKS_A_RECORD;
    }
    return &block->record[i];
}

static bool selects(const struct flow_selection *selection, struct block *block, unsigned i)
{
    const struct flow_face *face = &block->look[i].face;
    enum flow_fit fit = flow_selection_fits_face(selection, face);
    if (fit != FLOW_FIT_MAYBE)
        return fit == FLOW_FIT_YES;
    block->looks += selection->needs_digest ? LOOKS_A_DIGEST : 1;
    return flow_selection_fits_both(selection, face, record_of(block, i));
}

static bool fits(const struct flow_asked *asked, struct block *block, unsigned i)
{
    const struct look *look = &block->look[i];
    if (asked->shown != NULL &&
        (look->face.first_ns > asked->began_ns || flow_shown_has(asked->shown, look->id)))
        return false;
    return asked->query.selection == NULL || selects(asked->query.selection, block, i);
}

static void note(struct flow_asked *asked, struct block *block, unsigned i)
{
    const struct look *look = &block->look[i];
    struct flow_candidate candidate;
    if (!flow_rank_of_face(asked->query.order, &look->face, &candidate.rank))
        candidate.rank = flow_rank(asked->query.order, record_of(block, i));
    asked->answer.matched++;
    if (!candidates_want(&asked->best, candidate.rank, &look->face))
        return;
    candidate.id = look->id;
    flow_key_of(&block->table->store, flow_at(&block->table->store, look->id), &candidate.key);
    candidates_add(&asked->best, &candidate);
}

static bool is_alive(const struct flow_table *table, uint32_t id)
{
    return (flow_at(&table->store, id)->marks & FLOW_MARK_ENDED) == 0; // freed nodes have the mark, too
}

static void look_at(struct block *block, struct flow_asked *asked)
{
    for (unsigned i = 0; i < block->count; i++)
        if (fits(asked, block, i))
            note(asked, block, i);
}

static void add_look(struct block *block, uint32_t id, bool ends)
{
    struct look *look = &block->look[block->count++];
    look->id = id;
    look->has_record = false;
    flow_face_of_node(&block->table->store, id, ends, &look->face);
}

// The flow of a candidate as it is now, unless it has ended or does not fit any more. (Its node may belong to a younger
// flow by now, which is as good.)
static void copy_row(const struct flow_table *table, struct flow_asked *asked, uint32_t id)
{
    struct block block;
    block.table = table;
    block.count = 0;
    if (!is_alive(table, id))
        return;
    add_look(&block, id, true);
    if (!fits(asked, &block, 0))
        return;
    assert(asked->answer.count < asked->query.limit);
    struct flow_row *row = &asked->answer.rows[asked->answer.count++];
    row->node = id;
    flow_table_copy(table, id, &row->record);
}

static void spend(unsigned *looks, unsigned cost)
{
    *looks = cost < *looks ? *looks - cost : 0;
}

// Copies candidates until `looks` is used up; whether none is left.
static bool copy_rows(const struct flow_table *table, struct flow_round *round, unsigned *looks)
{
    struct flow_asked *asked = round->asked[round->copied];
    if (asked == NULL)
        return true;
    candidates_cut(&asked->best);
    while (asked->best.count > 0) {
        if (*looks == 0)
            return false;
        spend(looks, LOOKS_A_ROW);
        copy_row(table, asked, asked->best.items[--asked->best.count].id);
    }
    asked->answer.looked_at = round->looked_at;
    asked->answered = true;
    return true;
}

// What the walk comes to soon: nodes, then the parts that they name.
enum { AHEAD_NODES = 24, AHEAD_PARTS = 12 };

PREFETCHING void look_ahead(const struct flow_table *table, const struct flow_round *round, uint32_t flag)
{
    if (round->left > AHEAD_NODES)
        flow_prefetch(&table->store, (round->left - AHEAD_NODES) | flag);
    if (round->parts && round->left > AHEAD_PARTS) {
        const struct flow *flow = flow_at(&table->store, (round->left - AHEAD_PARTS) | flag);
        if ((flow->marks & FLOW_MARK_ENDED) == 0)
            flow_prefetch_parts(&table->store, flow);
    }
}

// The next nodes that are alive. What it cost lies in the block.
static void fill_block(struct block *block, struct flow_round *round)
{
    uint32_t flag = round->step == ROUND_WALKS_V6 ? (uint32_t)FLOW_ID_V6 : 0;
    uint32_t end = round->left > BLOCK ? round->left - BLOCK : 0;
    block->count = 0;
    block->looks = round->left - end;
    for (; round->left > end; round->left--) {
        look_ahead(block->table, round, flag);
        if (is_alive(block->table, round->left | flag))
            add_look(block, round->left | flag, round->ends);
    }
}

static bool walk(const struct flow_table *table, struct flow_round *round, unsigned *looks)
{
    struct block block;
    block.table = table;
    while (round->left > 0 && *looks > 0) {
        fill_block(&block, round);
        for (unsigned i = 0; i < round->count; i++)
            if (round->asked[i] != NULL)
                look_at(&block, round->asked[i]);
        round->looked_at += block.count;
        spend(looks, block.looks + round->count * block.count);
    }
    return round->left == 0;
}

bool flow_table_answer(const struct flow_table *table, struct flow_round *round, unsigned looks)
{
    while (round->step != ROUND_COPIES) {
        if (!walk(table, round, &looks))
            return false;
        if (round->step++ == ROUND_WALKS_V4)
            round->left = table->store.v6.slab.fresh;
    }
    for (; round->copied < round->count; round->copied++)
        if (!copy_rows(table, round, &looks))
            return false;
    return true;
}
