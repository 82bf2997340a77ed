// Records: what a flow says when it leaves.
#include <stdlib.h>
#include <string.h>

#include "flow/table.h"

void ended_list_done(struct ended_list *list)
{
    free(list->items);
    *list = (struct ended_list){0};
}

// Entries of one flow: an interim record comes before the last one.
static int compare_same_key(const struct ended_flow *left, const struct ended_flow *right)
{
    const struct flow *first = flow_at(&left->table->store, left->id);
    const struct flow *second = flow_at(&right->table->store, right->id);
    if (first->first_ns != second->first_ns)
        return first->first_ns < second->first_ns ? -1 : 1;
    return (left->reason != END_ACTIVE) - (right->reason != END_ACTIVE);
}

static int compare_ended(const void *left_item, const void *right_item)
{
    const struct ended_flow *left = left_item, *right = right_item;
    if (left->end_ns != right->end_ns)
        return left->end_ns < right->end_ns ? -1 : 1;
    struct flow_key left_key, right_key;
    flow_key_of(&left->table->store, flow_at(&left->table->store, left->id), &left_key);
    flow_key_of(&right->table->store, flow_at(&right->table->store, right->id), &right_key);
    int order = flow_key_compare(&left_key, &right_key);
    return order != 0 ? order : compare_same_key(left, right);
}

void ended_list_sort(struct ended_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare_ended);
}

static void take_key(const struct flow_store *store, const struct flow *flow, struct flow_record *out)
{
    struct flow_key key;
    flow_key_of(store, flow, &key);
    for (int side = 0; side < 2; side++) {
        struct endpoint *endpoint = &out->endpoint[side];
        endpoint->address.version = key.ip_version;
        memcpy(endpoint->address.bytes, key.addresses[side], sizeof endpoint->address.bytes);
        endpoint->port = key.ports[side];
    }
    out->protocol = key.protocol;
}

static void take_side(const struct tcp_side *side, int direction, struct flow_record *out)
{
    out->retransmissions[direction] = side->retransmissions;
    out->out_of_order[direction] = side->out_of_order;
    out->zero_windows[direction] = side->zero_windows;
    out->duplicate_acks[direction] = side->duplicate_acks;
    out->bytes_missed[direction] = side->bytes_missed;
}

static void take_quality(const struct tcp_quality *quality, const struct flow_policy *policy,
                         struct flow_record *out)
{
    for (int direction = 0; direction < 2; direction++)
        take_side(&quality->side[direction], direction, out);
    if (!policy->rtt)
        return;
    out->rtt_samples = quality->rtt_samples;
    out->rtt_last_ns = (int64_t)quality->rtt_last_ns;
    out->rtt_min_ns = (int64_t)quality->rtt_min_ns;
    out->rtt_ewma_ns = (int64_t)quality->rtt_ewma_ns;
    if (quality->handshake == TCP_HANDSHAKE_DONE)
        out->handshake_rtt_ns = quality->handshake_ns;
}

// `alive`: the flow goes on, the record gets a copy of the names.
static void take_extra(struct flow_extra *extra, bool alive, struct flow_record *out)
{
    out->first_seen_ns -= extra->clock_offset_ns;
    out->last_seen_ns -= extra->clock_offset_ns;
    out->end_ns -= extra->clock_offset_ns;
    out->tunnel = extra->tunnel;
    out->observed = extra->observed;
    memcpy(out->observed_at, extra->observed_at, sizeof out->observed_at);
    out->record_seq = extra->record_seq;
    if (extra->names == NULL)
        return;
    if (alive) {
        out->names = malloc(sizeof *out->names);
        if (out->names != NULL)
            *out->names = *extra->names;
    } else {
        out->names = extra->names;
        extra->names = NULL;
    }
}

void flow_table_take(const struct ended_flow *ended, struct flow_record *out)
{
    struct flow_table *table = ended->table;
    struct flow *flow = flow_at(&table->store, ended->id);
    bool alive = ended->reason == END_ACTIVE;
    *out = (struct flow_record){
        .first_seen_ns = flow->first_ns,
        .last_seen_ns = flow->last_ns,
        .end_ns = ended->end_ns,
        .packets = {flow_packets(flow, 0), flow_packets(flow, 1)},
        .bytes = {flow->bytes[0], flow->bytes[1]},
        .handshake_rtt_ns = -1,
        .interface = (uint16_t)((flow->owner[0] != 0 ? flow->owner[0] : flow->owner[1]) - 1),
        .vlan = flow->vlan,
        .has_vlan = (flow->marks & FLOW_MARK_VLAN) != 0,
        .has_quality = flow_policy_has_quality(table->policy),
        .final = !alive,
        .tcp_state = flow->tcp_state,
        .reason = ended->reason,
        .client = (flow->marks & FLOW_MARK_CLIENT_B) != 0,
        .client_from = flow->client_from,
        .tcp_flags = {flow->tcp_flags[0], flow->tcp_flags[1]},
    };
    take_key(&table->store, flow, out);
    const struct tcp_quality *quality = flow_quality(&table->store, flow);
    if (quality != NULL)
        take_quality(quality, table->policy, out);
    struct flow_extra *extra = flow_extra(&table->store, flow);
    if (extra != NULL) {
        if (extra->names != NULL && !alive)
            table->store.names_bytes -= sizeof *extra->names;
        take_extra(extra, alive, out);
        extra->record_seq++;
    }
    if (!alive)
        flow_store_remove(&table->store, ended->id);
}
