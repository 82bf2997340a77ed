#include "flow/page.h"

#include <stdlib.h>

static int compare_rows(const void *left, const void *right, void *order)
{
    const struct flow_row *const *one = left, *const *other = right;
    return flow_order_compare(*(const struct flow_ordering *)order, &(*one)->record, &(*other)->record);
}

static void move_row(struct flow_row *from, struct flow_page *page)
{
    struct flow_row *row = &page->rows[page->count++];
    *row = *from;
    from->record.names = NULL;
    page->bytes += sizeof *row;
    if (row->record.names != NULL)
        page->bytes += sizeof *row->record.names + row->record.names->text_bytes;
}

static unsigned gather(struct flow_asked asked[], unsigned shards, struct flow_row **rows)
{
    unsigned count = 0;
    for (unsigned shard = 0; shard < shards; shard++) {
        struct flow_answer *answer = &asked[shard].answer;
        for (unsigned i = 0; i < answer->count; i++) {
            answer->rows[i].shard = (uint8_t)shard;
            rows[count++] = &answer->rows[i];
        }
    }
    return count;
}

struct flow_page *flow_page_merge(const struct flow_query *query, struct flow_asked asked[], unsigned shards)
{
    unsigned all = 0;
    for (unsigned shard = 0; shard < shards; shard++)
        all += asked[shard].answer.count;
    unsigned limit = all < query->limit ? all : query->limit;
    struct flow_row **rows = calloc(all + 1, sizeof *rows);
    struct flow_page *page = calloc(1, sizeof *page + limit * sizeof page->rows[0]);
    if (rows != NULL && page != NULL) {
        struct flow_ordering order = query->order;
        gather(asked, shards, rows);
        qsort_r(rows, all, sizeof(*rows), compare_rows, &order);
        atomic_store_explicit(&page->holders, 1, memory_order_relaxed);
        page->bytes = sizeof *page;
        for (unsigned i = 0; i < limit; i++)
            move_row(rows[i], page);
        for (unsigned shard = 0; shard < shards; shard++) {
            page->matched += asked[shard].answer.matched;
            page->looked_at += asked[shard].answer.looked_at;
        }
    } else {
        free(page);
        page = NULL;
    }
    free(rows);
    return page;
}

struct flow_page *flow_page_hold(struct flow_page *page)
{
    atomic_fetch_add_explicit(&page->holders, 1, memory_order_relaxed);
    return page;
}

void flow_page_release(struct flow_page *page)
{
    if (page == NULL || atomic_fetch_sub_explicit(&page->holders, 1, memory_order_acq_rel) > 1)
        return;
    for (unsigned i = 0; i < page->count; i++)
        flow_names_free(page->rows[i].record.names);
    free(page->above);
    free(page);
}
