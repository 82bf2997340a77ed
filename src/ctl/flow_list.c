#include "ctl/flow_list.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_table.h"
#include "ctl/flow_text.h"
#include "ctl/output.h"
#include "netscope/v1/flow_service.pb-c.h"

typedef Netscope__V1__Flow Flow;

enum { TABLE_ROWS = 1000 };

struct sorted {
    Flow *flow;
    double value; // NaN = none
    bool reverse;
};

void flow_list_init(struct flow_list *list)
{
    *list = (struct flow_list){.flows = NULL};
}

void flow_list_cut(struct flow_list *list, uint64_t limit)
{
    while (limit > 0 && list->count > limit)
        netscope__v1__flow__free_unpacked(list->flows[--list->count], NULL);
}

void flow_list_clear(struct flow_list *list)
{
    while (list->count > 0)
        netscope__v1__flow__free_unpacked(list->flows[--list->count], NULL);
}

void flow_list_done(struct flow_list *list)
{
    flow_list_clear(list);
    free(list->flows);
}

bool flow_list_take(struct flow_list *list, Flow **take_flows, size_t count)
{
    size_t wanted = list->count + count;
    assert(list->count <= list->room && wanted >= count);
    if (wanted > list->room) {
        size_t room = wanted > 2 * list->room ? wanted : 2 * list->room;
        Flow **flows = realloc(list->flows, room * sizeof *flows);
        if (flows == NULL) {
            for (size_t i = 0; i < count; i++)
                netscope__v1__flow__free_unpacked(take_flows[i], NULL);
            return false;
        }
        list->flows = flows;
        list->room = room;
    }
    if (count > 0)
        memcpy(list->flows + list->count, take_flows, count * sizeof *take_flows);
    list->count = wanted;
    return true;
}

static double value_of(const Flow *flow, int order)
{
    switch (order) {
    case NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_PACKETS:
        return (double)flow->packets_total;
    case NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_LAST_SEEN:
        return (double)time_of(flow->last_seen);
    case NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_FIRST_SEEN:
        return (double)time_of(flow->first_seen);
    case NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_DURATION:
        return flow->duration_secs;
    case NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_RETRANSMISSIONS:
        return flow->retransmissions_value_case != 0 ? (double)flow->retransmissions : NAN;
    case NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_RTT:
        return flow->rtt_ewma_ms_value_case != 0 ? flow->rtt_ewma_ms : NAN;
    case NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_RATE:
        return flow->avg_bps_value_case != 0 ? flow->avg_bps : NAN;
    default:
        return (double)flow->bytes_total;
    }
}

static int compare(const void *left_place, const void *right_place)
{
    const struct sorted *left = left_place, *right = right_place;
    if (isnan(left->value) != isnan(right->value))
        return isnan(left->value) ? 1 : -1;
    if (!isnan(left->value) && left->value != right->value)
        return (left->value > right->value) != left->reverse ? -1 : 1;
    return strcmp(left->flow->id, right->flow->id);
}

void flow_list_sort(struct flow_list *list, int order, bool reverse)
{
    struct sorted *sorted = calloc(list->count + 1, sizeof *sorted);
    if (sorted == NULL)
        return;
    for (size_t i = 0; i < list->count; i++)
        sorted[i] = (struct sorted){list->flows[i], value_of(list->flows[i], order), reverse};
    qsort(sorted, list->count, sizeof *sorted, compare);
    for (size_t i = 0; i < list->count; i++)
        list->flows[i] = sorted[i].flow;
    free(sorted);
}

static void show_table(const struct flow_list *list, size_t first, struct output *output,
                       const struct flow_row *how)
{
    struct text_table table;
    table_init(&table, flow_columns);
    for (size_t i = first; i < list->count && i < first + TABLE_ROWS; i++)
        flow_text_add_row(&table, list->flows[i], how);
    output_add_table(output, &table);
    table_done(&table);
}

void flow_list_show(struct flow_list *list, struct output *output, const struct flow_row *how)
{
    if (output_is_for_programs(output)) {
        for (size_t i = 0; i < list->count; i++)
            output_add_row(output, &list->flows[i]->base);
    } else {
        for (size_t first = 0; first < list->count; first += TABLE_ROWS)
            show_table(list, first, output, how);
    }
    list->shown += list->count;
}
