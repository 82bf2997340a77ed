#include "flow/query.h"

#include <stdlib.h>
#include <string.h>

#include "flow/table.h"

bool flow_answer_init(struct flow_answer *answer, const struct flow_query *query)
{
    *answer = (struct flow_answer){.rows = calloc(query->limit, sizeof *answer->rows)};
    return answer->rows != NULL;
}

void flow_answer_done(struct flow_answer *answer)
{
    for (unsigned i = 0; i < answer->count; i++)
        flow_names_free(answer->rows[i].names);
    free(answer->rows);
    *answer = (struct flow_answer){0};
}

static uint64_t rank(const struct flow_query *query, const struct flow_record *record)
{
    switch (query->order) {
    case FLOWS_BY_BYTES:
        return record->bytes[0] + record->bytes[1];
    case FLOWS_BY_PACKETS:
        return record->packets[0] + record->packets[1];
    case FLOWS_BY_RECENCY:
        break;
    }
    return (uint64_t)record->last_seen_ns;
}

int flow_query_compare(const struct flow_query *query, const struct flow_record *left,
                       const struct flow_record *right)
{
    uint64_t first = rank(query, left), second = rank(query, right);
    if (first != second)
        return first > second ? -1 : 1;
    return flow_record_compare_keys(left, right);
}

static void swap_rows(struct flow_answer *answer, unsigned one, unsigned other)
{
    struct flow_record row = answer->rows[one];
    answer->rows[one] = answer->rows[other];
    answer->rows[other] = row;
}

// The rows are a heap with the last of them at [0] until they are sorted.
static void sift_up(struct flow_answer *answer, const struct flow_query *query, unsigned place)
{
    while (place > 0) {
        unsigned parent = (place - 1) / 2;
        if (flow_query_compare(query, &answer->rows[place], &answer->rows[parent]) <= 0)
            return;
        swap_rows(answer, place, parent);
        place = parent;
    }
}

static void sift_down(struct flow_answer *answer, const struct flow_query *query)
{
    for (unsigned place = 0;;) {
        unsigned child = 2 * place + 1;
        if (child >= answer->count)
            return;
        if (child + 1 < answer->count &&
            flow_query_compare(query, &answer->rows[child + 1], &answer->rows[child]) > 0)
            child++;
        if (flow_query_compare(query, &answer->rows[child], &answer->rows[place]) <= 0)
            return;
        swap_rows(answer, place, child);
        place = child;
    }
}

void flow_answer_offer(struct flow_answer *answer, const struct flow_query *query,
                       const struct flow_record *record)
{
    if (answer->count < query->limit) {
        answer->rows[answer->count] = *record;
        sift_up(answer, query, answer->count++);
    } else if (flow_query_compare(query, record, &answer->rows[0]) < 0) {
        flow_names_free(answer->rows[0].names);
        answer->rows[0] = *record;
        sift_down(answer, query);
    } else {
        flow_names_free(record->names);
    }
}

static int compare_rows(const void *left, const void *right, void *query)
{
    return flow_query_compare(query, left, right);
}

void flow_answer_sort(struct flow_answer *answer, const struct flow_query *query)
{
    struct flow_query copy = *query;
    qsort_r(answer->rows, answer->count, sizeof *answer->rows, compare_rows, &copy);
}

static bool side_fits(const struct flow_query *query, const struct flow_key *key, int side)
{
    if (query->address.address.version == 0)
        return true;
    struct address address = {.version = key->ip_version};
    memcpy(address.bytes, key->addresses[side], sizeof address.bytes);
    return prefix_contains(&query->address, &address);
}

static bool fits(const struct flow_table *table, const struct flow_query *query, const struct flow *flow)
{
    if (query->protocol != 0 && flow->protocol != query->protocol)
        return false;
    if (query->port != 0 && flow->ports[0] != query->port && flow->ports[1] != query->port)
        return false;
    if (query->address.address.version == 0)
        return true;
    struct flow_key key;
    flow_key_of(&table->store, flow, &key);
    return side_fits(query, &key, 0) || side_fits(query, &key, 1);
}

// Whether the flow would come before the last of the rows, as far as its node tells: most flows do not, and
// need not be copied.
static bool may_rank(const struct flow_query *query, const struct flow_answer *answer,
                     const struct flow *flow)
{
    if (answer->count < query->limit || flow->extra != 0)
        return true;
    struct flow_record figures = {
        .bytes = {flow->bytes[0], flow->bytes[1]},
        .packets = {flow->packets[0], flow->packets[1]},
        .last_seen_ns = flow->last_ns,
    };
    return rank(query, &figures) >= rank(query, &answer->rows[0]);
}

static void look_at(const struct flow_table *table, const struct flow_query *query, uint32_t id,
                    struct flow_answer *answer)
{
    const struct flow *flow = flow_at(&table->store, id);
    if ((flow->marks & FLOW_MARK_ENDED) != 0) // freed nodes have the mark, too
        return;
    answer->looked_at++;
    if (!fits(table, query, flow))
        return;
    answer->matched++;
    if (!may_rank(query, answer, flow))
        return;
    struct flow_record record;
    flow_table_copy(table, id, &record);
    flow_answer_offer(answer, query, &record);
}

bool flow_table_answer(const struct flow_table *table, const struct flow_query *query, unsigned nodes,
                       struct flow_walk *walk, struct flow_answer *answer)
{
    for (;;) {
        const struct slab *slab = walk->v6 ? &table->store.v6.slab : &table->store.v4.slab;
        uint32_t flag = walk->v6 ? (uint32_t)FLOW_ID_V6 : 0;
        while (walk->seen < slab->fresh) {
            if (nodes-- == 0)
                return false;
            look_at(table, query, ++walk->seen | flag, answer);
        }
        if (walk->v6)
            return true;
        *walk = (struct flow_walk){.v6 = true};
    }
}
