#include "pipeline/tick.h"

#include <assert.h>
#include <stddef.h>

void tick_begin(struct pipeline_tick *tick)
{
    tick->taken = NULL;
    for (unsigned i = 0; i < tick->run_count; i++)
        tick->runs[i]->head = tick->runs[i]->next(tick->runs[i]);
}

static int compare_heads(const struct ended_record *left, const struct ended_record *right)
{
    if (left->order_ns != right->order_ns)
        return left->order_ns < right->order_ns ? -1 : 1;
    return flow_record_compare_keys(&left->record, &right->record);
}

const struct flow_record *tick_next_ended(struct pipeline_tick *tick)
{
    struct tick_run *first = NULL;
    if (tick->taken != NULL)
        tick->taken->head = tick->taken->next(tick->taken);
    for (unsigned i = 0; i < tick->run_count; i++) {
        struct tick_run *run = tick->runs[i];
        if (run->head != NULL && (first == NULL || compare_heads(run->head, first->head) < 0))
            first = run;
    }
    tick->taken = first;
    return first != NULL ? &first->head->record : NULL;
}

const struct dns_transaction *tick_next_dns(struct pipeline_tick *tick)
{
    struct tick_run *first = NULL;
    const struct dns_transaction *least = NULL;
    for (unsigned i = 0; i < tick->run_count; i++) {
        struct tick_run *run = tick->runs[i];
        assert(run->dns_taken <= run->report->dns.count);
        const struct dns_transaction *head =
            run->dns_taken < run->report->dns.count ? &run->report->dns.items[run->dns_taken] : NULL;
        if (head != NULL && (least == NULL || head->number < least->number)) {
            least = head;
            first = run;
        }
    }
    if (first != NULL)
        first->dns_taken++;
    return least;
}

unsigned tick_top_flows(const struct pipeline_tick *tick, struct top_flow *out, unsigned most)
{
    unsigned count = 0;
    for (unsigned i = 0; i < tick->run_count; i++)
        for (unsigned j = 0; j < tick->runs[i]->report->top_count; j++)
            count = top_insert(&tick->runs[i]->report->top[j], out, count, most);
    return count;
}
