// How flows end: by time, by the end of the run, by making room.
#include "flow/ending.h"

#include <assert.h>

#include "flow/mirror.h"

uint64_t flow_table_hash(const void *owner, uint32_t id)
{
    const struct flow_table *table = owner;
    const struct flow *flow = flow_at(&table->store, id);
    if ((flow->marks & (FLOW_MARK_V6 | FLOW_MARK_TUNNEL)) == 0)
        return flow_key_hash_v4(flow->addresses, flow->ports, flow->protocol, table->policy.index_seed);
    struct flow_key key;
    flow_key_of(&table->store, flow, &key);
    return flow_key_hash(&key, table->policy.index_seed);
}

enum idle_class flow_class_of(const struct flow *flow)
{
    bool answered = flow_answered(flow);
    switch (flow->protocol) {
    case IP_PROTOCOL_TCP:
        if (flow->tcp_state == TCP_STATE_CLOSED || flow->tcp_state == TCP_STATE_RESET)
            return IDLE_CLOSED;
        if (flow->tcp_state >= TCP_STATE_ESTABLISHED)
            return IDLE_ESTABLISHED;
        return answered ? IDLE_TCP : IDLE_ATTEMPT_TCP;
    case IP_PROTOCOL_UDP:
        return answered ? IDLE_UDP : IDLE_ATTEMPT_UDP;
    case IP_PROTOCOL_ICMP:
    case IP_PROTOCOL_ICMPV6:
        return answered ? IDLE_ICMP : IDLE_ATTEMPT_ICMP;
    default:
        return answered ? IDLE_OTHER : IDLE_ATTEMPT_OTHER;
    }
}

void flow_file(struct flow_table *table, struct flow_partition *partition, uint32_t id)
{
    struct flow *flow = flow_at(&table->store, id);
    flow->wheel = flow->idle_class;
    idle_wheel_add(&partition->wheels[flow->wheel], &table->store, id);
}

void flow_unfile(struct flow_table *table, struct flow_partition *partition, uint32_t id)
{
    idle_wheel_remove(&partition->wheels[flow_at(&table->store, id)->wheel], &table->store, id);
}

static int64_t end_time(const struct flow *flow, enum end_reason reason, int64_t timeout_ns, int64_t now_ns)
{
    if (reason == END_RUN)
        return now_ns > flow->last_ns ? now_ns : flow->last_ns; // live stamps may run ahead a little
    return reason == END_TIMEOUT ? flow->last_ns + timeout_ns : flow->last_ns;
}

static void tell_end(const struct flow_table *table, const struct flow *flow, const struct flow_ends *ends)
{
    struct flow_end end = {
        .first_ns = ends->first_ns,
        .end_ns = ends->end_ns,
        .protocol = flow->protocol,
        .tcp_state = flow->tcp_state,
        .reason = flow->end_reason,
        .answered = flow_answered(flow),
    };
    table->on_end(table->on_end_owner, &end);
}

// Gives a flow its end and puts it on the ended list.
static void end_flow(struct flow_table *table, struct flow_partition *partition, uint32_t id,
                     enum end_reason reason, int64_t now_ns)
{
    struct flow *flow = flow_at(&table->store, id);
    struct flow_ends *ends = flow_ends_at(&table->store, id);
    bool attempt = flow->idle_class < IDLE_ATTEMPTS;
    assert((flow->marks & FLOW_MARK_ENDED) == 0 && partition->flows > 0);
    flow_look_at(table, partition, id, now_ns);
    if ((flow->extra & FLOW_EXTRA_STREAM) != 0)
        flow_end_streams(table, partition, id);
    ends->end_ns = end_time(flow, reason, table->timeout_ns[flow->idle_class], now_ns);
    flow->end_reason = (uint8_t)reason;
    flow->marks |= FLOW_MARK_ENDED;
    if (ends->first_ns > partition->latest_over_ns)
        partition->latest_over_ns = ends->first_ns;
    partition->over++;
    partition->flows--;
    partition->attempts -= attempt;
    table->counts.ended[reason]++;
    if (table->on_end != NULL)
        tell_end(table, flow, ends);
    bool kept = ended_list_add(&table->ended, id);
    assert(kept); // a few bytes a flow that exists: without them nothing goes on
}

void flow_end(struct flow_table *table, struct flow_partition *partition, uint32_t id, uint64_t hash,
              enum end_reason reason, int64_t now_ns)
{
    flow_index_remove(&table->index, hash, id);
    if ((flow_at(&table->store, id)->marks & FLOW_MARK_TUNNEL) != 0)
        flow_mirror_remove(table, id);
    end_flow(table, partition, id, reason, now_ns);
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

// A flow that was filed when it had another class goes to the wheel of its own, which is read after this one
// or has a longer timeout. Returns how many of at most `most` it has ended.
static uint32_t expire_wheel(struct flow_table *table, struct flow_partition *partition, enum idle_class kind,
                             uint32_t most, int64_t now_ns)
{
    struct idle_wheel *wheel = &partition->wheels[kind];
    int64_t end_slot = idle_wheel_slot(wheel, now_ns - table->timeout_ns[kind]);
    uint32_t id, done = 0;
    while (done < most && (id = idle_wheel_take_before(wheel, &table->store, end_slot)) != 0) {
        const struct flow *flow = flow_at(&table->store, id);
        if (flow->idle_class != kind) {
            flow_file(table, partition, id);
            continue;
        }
        flow_end(table, partition, id, flow_table_hash(table, id), flow_reason_when_idle(flow), now_ns);
        done++;
    }
    return done;
}

// The classes of which a slot became due since the last tick, as bits: wheels of a class are alike in every
// partition (unless there was no memory to file flows anew), and most ticks pass within a slot.
static unsigned find_due(struct flow_table *table, int64_t now_ns)
{
    unsigned due = table->unexpired;
    table->unexpired = 0;
    for (int kind = 0; kind < IDLE_CLASSES; kind++) {
        int64_t timeout_ns = table->timeout_ns[kind];
        int64_t end = (now_ns - timeout_ns) >> idle_slot_shift(timeout_ns);
        due |= (unsigned)(end != table->expired_slot[kind]) << kind;
        table->expired_slot[kind] = end;
    }
    return due;
}

// How many flows of a partition a tick ends, by their time or their number.
static uint32_t ends_at_most(const struct flow_table *table)
{
    enum { SLOWLY = 8 };
    uint32_t most = table->policy.expire_at_most;
    if (most == 0)
        return UINT32_MAX;
    return table->slowly ? most / SLOWLY + 1 : most;
}

static void expire(struct flow_table *table, struct flow_partition *partition, unsigned due, int64_t now_ns)
{
    uint32_t left = ends_at_most(table);
    for (int kind = 0; kind < IDLE_CLASSES; kind++) {
        if ((due >> kind & 1) == 0 || table->timeout_ns[kind] == 0 || partition->wheels[kind].members == 0)
            continue;
        left -= expire_wheel(table, partition, (enum idle_class)kind, left, now_ns);
        table->unexpired |= (unsigned)(left == 0) << kind;
    }
}

static enum end_reason reason_at_finish(const struct flow_table *table, const struct flow *flow,
                                        int64_t now_ns)
{
    bool ended_before = flow->idle_class == IDLE_CLOSED || flow_has_timed_out(table, flow, now_ns);
    return ended_before ? flow_reason_when_idle(flow) : END_RUN;
}

// At the end of the run nobody looks for a flow any more: the index is emptied as a whole.
static void finish_wheel(struct flow_table *table, struct flow_partition *partition, struct idle_wheel *wheel,
                         int64_t now_ns)
{
    uint32_t slot = 0;
    for (uint32_t id; (id = idle_wheel_drain(wheel, &table->store, &slot)) != 0;)
        end_flow(table, partition, id, reason_at_finish(table, flow_at(&table->store, id), now_ns), now_ns);
}

// Flows beyond a cap that was lowered, as many as one tick may end.
static void shrink(struct flow_table *table, struct flow_partition *partition, int64_t now_ns)
{
    enum { EVICTED_A_TICK = FLOW_ENDED_IN_TICK / 4 / FLOW_PARTITIONS };
    uint32_t most = ends_at_most(table) < EVICTED_A_TICK ? ends_at_most(table) : EVICTED_A_TICK;
    for (uint32_t i = 0; i < most && partition->flows > partition->max_flows; i++)
        flow_evict_one(table, partition, now_ns);
}

static bool is_over_its_cap(const struct flow_partition *partition)
{
    return partition->max_flows != 0 && partition->flows > partition->max_flows;
}

void flow_table_tick(struct flow_table *table, int64_t now_ns, bool last)
{
    while (last && flow_table_settle(table))
        ;
    flow_look_at_due(table, now_ns);
    unsigned due = find_due(table, now_ns);
    if (last)
        ended_list_reserve(&table->ended, flow_table_active(table));
    for (unsigned p = 0; p < table->settled; p++) {
        struct flow_partition *partition = table->partition[p];
        if (partition == NULL || (due == 0 && !last && !is_over_its_cap(partition)))
            continue;
        ended_list_cut(&table->ended);
        expire(table, partition, due, now_ns);
        if (is_over_its_cap(partition))
            shrink(table, partition, now_ns);
        for (int kind = 0; last && kind < IDLE_CLASSES; kind++)
            finish_wheel(table, partition, &partition->wheels[kind], now_ns);
    }
    for (unsigned p = 0; p < table->partitions; p++)
        if (table->partition[p] != NULL)
            table->partition[p]->more_answers = 0;
    if (last) {
        flow_index_clear(&table->index);
        flow_index_clear(&table->mirrors);
    }
    ended_list_sort(&table->ended, &table->store);
}

// The least recently seen flow that belongs on this wheel; others go to their own.
static uint32_t oldest_of_class(struct flow_table *table, struct flow_partition *partition, int kind)
{
    struct idle_wheel *wheel = &partition->wheels[kind];
    while (wheel->members != 0) {
        uint32_t id = idle_wheel_oldest(wheel, &table->store);
        if (flow_at(&table->store, id)->idle_class == kind)
            return id;
        flow_unfile(table, partition, id);
        flow_file(table, partition, id);
    }
    return 0;
}

static uint32_t oldest_of_classes(struct flow_table *table, struct flow_partition *partition, int end)
{
    uint32_t oldest = 0;
    int64_t oldest_ns = INT64_MAX;
    for (int kind = 0; kind < end; kind++) {
        uint32_t id = oldest_of_class(table, partition, kind);
        int64_t seen_ns = partition->wheels[kind].oldest << partition->wheels[kind].slot_shift;
        if (id != 0 && seen_ns < oldest_ns) {
            oldest = id;
            oldest_ns = seen_ns;
        }
    }
    return oldest;
}

void flow_evict_one(struct flow_table *table, struct flow_partition *partition, int64_t now_ns)
{
    bool attempts_first = partition->attempts > partition->max_flows / 2;
    uint32_t id = oldest_of_classes(table, partition, attempts_first ? IDLE_ATTEMPTS : IDLE_CLASSES);
    if (id == 0)
        return;
    uint32_t next = flow_ends_at(&table->store, id)->idle.next; // likely the next one to go
    if (next != 0)
        flow_prefetch(&table->store, next);
    flow_unfile(table, partition, id);
    flow_end(table, partition, id, flow_table_hash(table, id), END_EVICTION, now_ns);
}
