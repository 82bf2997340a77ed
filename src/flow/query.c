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
    const struct flow_table *table;
    uint32_t id;
    bool has_record;
    struct flow_face face;
    struct flow_record record;
    unsigned looks; // what it cost
};

static const struct flow_record *record_of(struct look *look)
{
    if (!look->has_record) {
        flow_table_peek(look->table, look->id, &look->record);
        look->has_record = true;
        look->looks += LOOKS_A_RECORD;
    }
    return &look->record;
}

static bool selects(const struct flow_selection *selection, struct look *look)
{
    if (selection == NULL)
        return true;
    enum flow_fit fit = flow_selection_fits_face(selection, &look->face);
    if (fit != FLOW_FIT_MAYBE)
        return fit == FLOW_FIT_YES;
    look->looks += selection->needs_digest ? LOOKS_A_DIGEST : 1;
    return flow_selection_fits_both(selection, &look->face, record_of(look));
}

static bool fits(const struct flow_asked *asked, struct look *look)
{
    if (asked->shown != NULL &&
        (look->face.first_ns > asked->began_ns || flow_shown_has(asked->shown, look->id)))
        return false;
    return selects(asked->query.selection, look);
}

static void note(struct flow_asked *asked, struct look *look)
{
    struct flow_candidate candidate = {.id = look->id};
    if (!flow_rank_of_face(asked->query.order, &look->face, &candidate.rank))
        candidate.rank = flow_rank(asked->query.order, record_of(look));
    asked->answer.matched++;
    if (!candidates_want(&asked->best, candidate.rank, &look->face))
        return;
    flow_key_of(&look->table->store, flow_at(&look->table->store, look->id), &candidate.key);
    candidates_add(&asked->best, &candidate);
}

static bool is_alive(const struct flow_table *table, uint32_t id)
{
    return (flow_at(&table->store, id)->marks & FLOW_MARK_ENDED) == 0; // freed nodes have the mark, too
}

// Returns what it cost.
static unsigned look_at(const struct flow_table *table, struct flow_round *round, uint32_t id)
{
    if (!is_alive(table, id))
        return 1;
    struct look look;
    look.table = table;
    look.id = id;
    look.has_record = false;
    look.looks = 1 + round->count;
    flow_face_of_node(&table->store, id, round->ends, &look.face);
    round->looked_at++;
    for (unsigned i = 0; i < round->count; i++)
        if (round->asked[i] != NULL && fits(round->asked[i], &look))
            note(round->asked[i], &look);
    return look.looks;
}

// The flow of a candidate as it is now, unless it has ended or does not fit any more. (Its node may belong to a younger
// flow by now, which is as good.)
static void copy_row(const struct flow_table *table, struct flow_asked *asked, uint32_t id)
{
    struct look look = {.table = table, .id = id};
    if (!is_alive(table, id))
        return;
    flow_face_of_node(&table->store, id, true, &look.face);
    if (!fits(asked, &look))
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

static bool walk(const struct flow_table *table, struct flow_round *round, unsigned *looks)
{
    uint32_t flag = round->step == ROUND_WALKS_V6 ? (uint32_t)FLOW_ID_V6 : 0;
    for (; round->left > 0 && *looks > 0; round->left--) {
        look_ahead(table, round, flag);
        spend(looks, look_at(table, round, round->left | flag));
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
