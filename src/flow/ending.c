// How flows end: by time, by the end of the run, by making room.
#include "flow/ending.h"

#include <assert.h>

static int64_t end_time(const struct flow *flow, enum end_reason reason, int64_t timeout_ns, int64_t now_ns)
{
    if (reason == END_RUN)
        return now_ns > flow->last_ns ? now_ns : flow->last_ns; // live stamps may run ahead a little
    return reason == END_TIMEOUT ? flow->last_ns + timeout_ns : flow->last_ns;
}

void flow_end(struct flow_table *table, struct flow_partition *partition, uint32_t id, uint64_t hash,
              enum end_reason reason, int64_t now_ns)
{
    struct flow *flow = flow_at(&table->store, id);
    assert((flow->marks & FLOW_MARK_ENDED) == 0);
    flow->end_ns = end_time(flow, reason, table->timeout_ns[flow->idle_class], now_ns);
    flow->end_reason = (uint8_t)reason;
    flow->marks |= FLOW_MARK_ENDED;
    flow_index_remove(&table->index, hash, id);
    partition->flows--;
    table->counts.ended[reason]++;
    bool kept = ended_list_add(&table->ended, id);
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
    int64_t timeout_ns = table->timeout_ns[flow->idle_class];
    return timeout_ns != 0 && at_ns - flow->last_ns > timeout_ns;
}

static void expire(struct flow_table *table, struct flow_partition *partition, int64_t now_ns)
{
    for (int kind = 0; kind < IDLE_CLASSES; kind++) {
        uint32_t id;
        while ((id = idle_wheel_take_due(&partition->wheels[kind], &table->store, now_ns)) != 0)
            flow_end(table, partition, id, flow_table_hash(table, id),
                     flow_reason_when_idle(flow_at(&table->store, id)), now_ns);
    }
}

static enum end_reason reason_at_finish(const struct flow_table *table, const struct flow *flow,
                                        int64_t now_ns)
{
    bool ended_before = flow->idle_class == IDLE_CLOSED || flow_has_timed_out(table, flow, now_ns);
    return ended_before ? flow_reason_when_idle(flow) : END_RUN;
}

static void finish_wheel(struct flow_table *table, struct flow_partition *partition, struct idle_wheel *wheel,
                         int64_t now_ns)
{
    for (uint32_t slot = 0; slot < wheel->slots; slot++) {
        while (wheel->heads[slot] != 0) {
            uint32_t id = wheel->heads[slot];
            const struct flow *flow = flow_at(&table->store, id);
            idle_wheel_remove(wheel, &table->store, id);
            flow_end(table, partition, id, flow_table_hash(table, id), reason_at_finish(table, flow, now_ns),
                     now_ns);
        }
    }
}

void flow_table_tick(struct flow_table *table, int64_t now_ns, bool last)
{
    if (last)
        ended_list_reserve(&table->ended, flow_table_active(table));
    for (unsigned p = 0; p < table->partitions; p++) {
        struct flow_partition *partition = table->partition[p];
        if (partition == NULL)
            continue;
        ended_list_cut(&table->ended);
        expire(table, partition, now_ns);
        for (int kind = 0; last && kind < IDLE_CLASSES; kind++)
            finish_wheel(table, partition, &partition->wheels[kind], now_ns);
    }
    ended_list_sort(&table->ended, &table->store);
}

static uint32_t oldest_of_classes(const struct flow_table *table, struct flow_partition *partition, int end)
{
    uint32_t oldest = 0;
    int64_t oldest_ns = INT64_MAX;
    for (int kind = 0; kind < end; kind++) {
        struct idle_wheel *wheel = &partition->wheels[kind];
        uint32_t id = wheel->members != 0 ? idle_wheel_oldest(wheel, &table->store) : 0;
        int64_t seen_ns = wheel->oldest * wheel->slot_ns;
        if (id != 0 && seen_ns < oldest_ns) {
            oldest = id;
            oldest_ns = seen_ns;
        }
    }
    return oldest;
}

void flow_evict_one(struct flow_table *table, struct flow_partition *partition, int64_t now_ns)
{
    uint32_t attempts = 0;
    for (int kind = IDLE_ATTEMPT_TCP; kind <= IDLE_ATTEMPT_OTHER; kind++)
        attempts += partition->wheels[kind].members;
    bool attempts_first = attempts > partition->max_flows / 2;
    uint32_t id = oldest_of_classes(table, partition, attempts_first ? IDLE_ATTEMPT_OTHER + 1 : IDLE_CLASSES);
    if (id == 0)
        return;
    idle_wheel_remove(&partition->wheels[flow_at(&table->store, id)->idle_class], &table->store, id);
    flow_end(table, partition, id, flow_table_hash(table, id), END_EVICTION, now_ns);
}
