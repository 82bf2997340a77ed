#include "flow/query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "flow/selection.h"
#include "flow/table.h"

// What else costs as much as so many looks.
enum { LOOKS_A_RECORD = 10, LOOKS_AN_ASKED_RECORD = 4, LOOKS_A_DIGEST = 50, LOOKS_A_ROW = 60 };

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
    asked->answer.rows = flow_touched_memory(query->limit * sizeof *asked->answer.rows);
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

static unsigned parts_of(const struct flow_asked *asked)
{
    const struct flow_selection *selection = asked->query.selection;
    return flow_order_parts(asked->query.order.by) |
           (selection != NULL ? selection->parts | FLOW_FACE_FIELDS : 0) |
           (asked->shown != NULL ? (unsigned)FLOW_FACE_ENDS : 0);
}

static void note_parts(struct flow_round *round)
{
    round->parts = 0;
    round->needs_parts = false;
    for (unsigned i = 0; i < round->count; i++) {
        const struct flow_asked *asked = round->asked[i];
        const struct flow_selection *selection = asked->query.selection;
        round->parts |= parts_of(asked);
        round->needs_parts |= selection != NULL && selection->needs_parts;
    }
    round->needs_parts |= (round->parts & FLOW_FACE_QUALITY) != 0;
}

void flow_round_add(struct flow_round *round, const struct flow_table *table, struct flow_asked *asked)
{
    assert(round->count < FLOW_ROUND);
    if (asked->shown != NULL)
        asked->began_ns =
            asked->shown->began_ns != FLOWS_NOT_BEGUN ? asked->shown->began_ns : table->newest_ns;
    if (round->count == 0)
        round->at = (struct flow_place){.left = table->store.v4.slab.fresh};
    asked->joined = round->at;
    asked->came_round = false;
    round->asked[round->count++] = asked;
    note_parts(round);
}

void flow_round_give_up(struct flow_round *round, unsigned place)
{
    assert(place < round->count);
    memmove(&round->asked[place], &round->asked[place + 1],
            (--round->count - place) * sizeof(struct flow_asked *));
    note_parts(round);
}

// Flows that are looked at together, by one question after the other. A record is made when the first one needs it.
struct block {
    const struct flow_table *table;
    struct flow_faces faces;
    unsigned looks;      // what they cost
    uint64_t has_record; // bits
    struct flow_record record[FLOW_FACES];
};

static const struct flow_record *record_of(struct block *block, unsigned i)
{
    if ((block->has_record >> i & 1) == 0) {
        flow_table_peek(block->table, block->faces.id[i], &block->record[i]);
        block->has_record |= UINT64_C(1) << i;
        block->looks += LOOKS_A_RECORD;
    }
    return &block->record[i];
}

static uint64_t selected(const struct flow_selection *selection, struct block *block)
{
    struct flow_fit fit = flow_selection_fits_faces(selection, &block->faces);
    for (uint64_t ask = fit.may & ~fit.does; ask != 0;) {
        unsigned i = column_take_place(&ask);
        block->looks += selection->needs_digest ? LOOKS_A_DIGEST : LOOKS_AN_ASKED_RECORD;
        fit.does |= (uint64_t)flow_selection_fits(selection, record_of(block, i)) << i;
    }
    return fit.does;
}

// Those that a listing has not shown and that were there when it began.
static uint64_t not_shown(const struct flow_asked *asked, const struct flow_faces *faces)
{
    uint64_t bits =
        column_within((const uint64_t *)faces->first_ns, (uint64_t)INT64_MIN, (uint64_t)asked->began_ns) &
        flow_faces_all(faces);
    if (flow_shown_has_any(asked->shown, faces->id[faces->count - 1], faces->id[0]))
        for (unsigned i = 0; i < faces->count; i++)
            bits &= ~((uint64_t)flow_shown_has(asked->shown, faces->id[i]) << i);
    return bits;
}

static uint64_t fitting(const struct flow_asked *asked, struct block *block)
{
    uint64_t bits = flow_faces_all(&block->faces);
    if (asked->shown != NULL)
        bits &= not_shown(asked, &block->faces);
    if (asked->query.selection != NULL && bits != 0)
        bits &= selected(asked->query.selection, block);
    return bits;
}

static void rank(const struct flow_asked *asked, struct block *block, uint64_t of, uint64_t ranks[FLOW_FACES])
{
    for (uint64_t ask = of & ~flow_ranks_of_faces(asked->query.order, &block->faces, of, ranks); ask != 0;) {
        unsigned i = column_take_place(&ask);
        ranks[i] = flow_rank(asked->query.order, record_of(block, i));
    }
}

static void look_at(struct flow_asked *asked, struct block *block)
{
    uint64_t ranks[FLOW_FACES], bits = fitting(asked, block);
    asked->answer.looked_at += block->faces.count;
    if (bits == 0)
        return;
    asked->answer.matched += (unsigned)__builtin_popcountll(bits);
    rank(asked, block, bits, ranks);
    for (bits = candidates_among(&asked->best, &block->faces, ranks, bits); bits != 0;) {
        unsigned i = column_take_place(&bits);
        struct flow_candidate candidate = {
            .rank = ranks[i], .prefix = block->faces.key_prefix[i], .id = block->faces.id[i]};
        flow_key_of(&block->table->store, flow_at(&block->table->store, candidate.id), &candidate.key);
        candidates_add(&asked->best, &candidate);
    }
}

static bool is_alive(const struct flow_table *table, uint32_t id)
{
    return (flow_at(&table->store, id)->marks & FLOW_MARK_ENDED) == 0; // freed nodes have the mark, too
}

static void begin_block(struct block *block, const struct flow_table *table, bool v6)
{
    block->table = table;
    block->looks = 0;
    block->has_record = 0;
    flow_faces_clear(&block->faces, v6 ? 6 : 4);
}

// The flow of a candidate as it is now, unless it has ended or does not fit any more. (Its node may belong to a younger
// flow by now, which is as good.)
static void copy_row(const struct flow_table *table, struct flow_asked *asked, uint32_t id)
{
    struct block block;
    if (!is_alive(table, id))
        return;
    begin_block(&block, table, (id & FLOW_ID_V6) != 0);
    flow_faces_add(&block.faces, table, id, parts_of(asked));
    if (fitting(asked, &block) == 0)
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
static bool copy_rows(const struct flow_table *table, struct flow_asked *asked, unsigned *looks)
{
    candidates_cut(&asked->best);
    while (asked->best.count > 0) {
        if (*looks == 0)
            return false;
        spend(looks, LOOKS_A_ROW);
        copy_row(table, asked, asked->best.items[--asked->best.count].id);
    }
    asked->answered = true;
    return true;
}

// What the walk comes to soon: nodes, then the parts that they name. Those of handshakes are not asked for.
enum { AHEAD_NODES = 24, AHEAD_PARTS = 12 };

PREFETCHING void look_ahead(const struct flow_table *table, const struct flow_round *round, uint32_t flag)
{
    uint32_t left = round->at.left;
    if (left > AHEAD_NODES)
        flow_prefetch(&table->store, (left - AHEAD_NODES) | flag);
    if (round->needs_parts && left > AHEAD_PARTS) {
        const struct flow *flow = flow_at(&table->store, (left - AHEAD_PARTS) | flag);
        if ((flow->marks & (FLOW_MARK_ENDED | FLOW_MARK_OPENING)) == 0)
            flow_prefetch_parts(&table->store, flow);
    }
}

// The next flows that are alive, of at most so many nodes.
static void fill_block(struct block *block, struct flow_round *round, unsigned nodes)
{
    uint32_t flag = round->at.v6 ? (uint32_t)FLOW_ID_V6 : 0;
    for (; nodes > 0 && round->at.left > 0; nodes--, round->at.left--) {
        look_ahead(block->table, round, flag);
        if (is_alive(block->table, round->at.left | flag))
            flow_faces_add(&block->faces, block->table, round->at.left | flag, round->parts);
    }
}

// Nodes that the walk may go on for before it comes by where somebody joined it: the first did so first.
static uint32_t nodes_to_end(const struct flow_round *round)
{
    const struct flow_asked *first = round->asked[0];
    uint32_t end = first->came_round && first->joined.v6 == round->at.v6 ? first->joined.left : 0;
    return round->at.left > end ? round->at.left - end : 0;
}

static bool first_has_seen_all(const struct flow_round *round)
{
    const struct flow_asked *first = round->asked[0];
    return first->came_round && first->joined.v6 == round->at.v6 && first->joined.left >= round->at.left;
}

static void turn_to(struct flow_round *round, const struct flow_nodes *nodes, bool v6)
{
    round->at = (struct flow_place){.v6 = v6, .left = nodes->slab.fresh};
    for (unsigned i = 0; i < round->count && !v6; i++)
        round->asked[i]->came_round = true;
}

static void look_at_block(const struct flow_table *table, struct flow_round *round, unsigned *looks)
{
    struct block block;
    unsigned most = *looks < FLOW_FACES ? *looks : FLOW_FACES, to_end = nodes_to_end(round);
    begin_block(&block, table, round->at.v6);
    fill_block(&block, round, to_end < most ? to_end : most);
    for (unsigned i = 0; i < round->count && block.faces.count > 0; i++)
        look_at(round->asked[i], &block);
    spend(looks, block.looks + FLOW_FACES + round->count * block.faces.count);
}

bool flow_table_answer(const struct flow_table *table, struct flow_round *round, unsigned looks)
{
    const struct flow_store *store = &table->store;
    while (round->count > 0 && looks > 0) {
        if (first_has_seen_all(round)) {
            if (copy_rows(table, round->asked[0], &looks))
                flow_round_give_up(round, 0);
        } else if (round->at.left > 0) {
            look_at_block(table, round, &looks);
        } else {
            turn_to(round, round->at.v6 ? &store->v4 : &store->v6, !round->at.v6);
        }
    }
    return round->count == 0;
}
