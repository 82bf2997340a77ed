// How flows end: by time, by the end of the run, by making room.
#include "flow/ending.h"

#include <assert.h>
#include <stdlib.h>

bool ended_list_add(struct ended_list *list, struct ended_flow entry)
{
    if (list->count == list->room) {
        size_t room = list->room != 0 ? list->room * 2 : 256;
        struct ended_flow *items = realloc(list->items, room * sizeof *items);
        if (items == NULL)
            return false;
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = entry;
    return true;
}

static int64_t end_time(const struct flow *flow, enum end_reason reason, int64_t timeout_ns, int64_t now_ns)
{
    if (reason == END_RUN)
        return now_ns > flow->last_ns ? now_ns : flow->last_ns; // live stamps may run ahead a little
    return reason == END_TIMEOUT ? flow->last_ns + timeout_ns : flow->last_ns;
}

void flow_end(struct flow_table *table, uint32_t id, uint64_t hash, enum end_reason reason, int64_t now_ns)
{
    struct flow *flow = flow_at(&table->store, id);
    int64_t timeout_ns = table->wheels[flow->idle_class].timeout_ns;
    assert((flow->marks & FLOW_MARK_ENDED) == 0);
    flow->marks |= FLOW_MARK_ENDED;
    flow_index_remove(&table->index, hash, id);
    table->counts.ended[reason]++;
    struct ended_flow entry = {
        .end_ns = end_time(flow, reason, timeout_ns, now_ns),
        .table = table,
        .id = id,
        .reason = (uint8_t)reason,
    };
    bool kept = ended_list_add(table->ended, entry);
    assert(kept); // a few bytes a flow that exists: without them nothing goes on
}

enum end_reason flow_reason_when_idle(const struct flow *flow)
{
    if (flow->idle_class != IDLE_CLOSED)
        return END_TIMEOUT;
    return flow->tcp_state == TCP_STATE_RESET ? END_RESET : END_CLOSED;
}

bool flow_has_timed_out(const struct flow_table *table, const struct flow *flow, int64_t at_ns)
{
    int64_t timeout_ns = table->wheels[flow->idle_class].timeout_ns;
    return timeout_ns != 0 && at_ns - flow->last_ns > timeout_ns;
}

void flow_table_expire(struct flow_table *table, int64_t now_ns)
{
    for (int kind = 0; kind < IDLE_CLASSES; kind++) {
        uint32_t id;
        while ((id = idle_wheel_take_due(&table->wheels[kind], &table->store, now_ns)) != 0)
            flow_end(table, id, flow_table_hash(table, id), flow_reason_when_idle(flow_at(&table->store, id)),
                     now_ns);
    }
}

static enum end_reason reason_at_finish(const struct flow_table *table, const struct flow *flow,
                                        int64_t now_ns)
{
    bool ended_before = flow->idle_class == IDLE_CLOSED || flow_has_timed_out(table, flow, now_ns);
    return ended_before ? flow_reason_when_idle(flow) : END_RUN;
}

void flow_table_finish(struct flow_table *table, int64_t now_ns)
{
    for (int kind = 0; kind < IDLE_CLASSES; kind++) {
        struct idle_wheel *wheel = &table->wheels[kind];
        for (uint32_t slot = 0; slot < wheel->slots; slot++) {
            while (wheel->heads[slot] != 0) {
                uint32_t id = wheel->heads[slot];
                const struct flow *flow = flow_at(&table->store, id);
                idle_wheel_remove(wheel, &table->store, id);
                flow_end(table, id, flow_table_hash(table, id), reason_at_finish(table, flow, now_ns),
                         now_ns);
            }
        }
    }
}

static uint32_t oldest_of_classes(struct flow_table *table, int first, int end)
{
    uint32_t oldest = 0;
    int64_t oldest_ns = INT64_MAX;
    for (int kind = first; kind < end; kind++) {
        uint32_t id = idle_wheel_oldest(&table->wheels[kind], &table->store);
        int64_t seen_ns = table->wheels[kind].oldest * table->wheels[kind].slot_ns;
        if (id != 0 && seen_ns < oldest_ns) {
            oldest = id;
            oldest_ns = seen_ns;
        }
    }
    return oldest;
}

void flow_evict_one(struct flow_table *table, int64_t now_ns)
{
    uint32_t attempts = 0;
    for (int kind = IDLE_ATTEMPT_TCP; kind <= IDLE_ATTEMPT_OTHER; kind++)
        attempts += table->wheels[kind].members;
    bool attempts_first = attempts > table->policy->max_flows / 2;
    uint32_t id = oldest_of_classes(table, 0, attempts_first ? IDLE_ATTEMPT_OTHER + 1 : IDLE_CLASSES);
    if (id == 0)
        return;
    idle_wheel_remove(&table->wheels[flow_at(&table->store, id)->idle_class], &table->store, id);
    flow_end(table, id, flow_table_hash(table, id), END_EVICTION, now_ns);
}
