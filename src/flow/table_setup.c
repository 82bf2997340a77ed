// The beginning and the end of a flow table, its partitions, and what it takes.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "flow/ending.h"
#include "flow/mirror.h"

static int64_t timeout_of_class(const struct flow_policy *policy, enum idle_class kind)
{
    if (policy->never)
        return 0;
    switch (kind) {
    case IDLE_ESTABLISHED:
        return policy->tcp_timeout_ns;
    case IDLE_ATTEMPT_UDP:
    case IDLE_UDP:
        return policy->udp_timeout_ns;
    case IDLE_ATTEMPT_ICMP:
    case IDLE_ICMP:
        return policy->icmp_timeout_ns;
    case IDLE_CLOSED:
        return policy->linger_ns;
    default:
        return policy->timeout_ns;
    }
}

unsigned partition_count(uint64_t max_flows)
{
    enum { PARTITION_FLOWS_MINIMUM = 256 };
    unsigned count = FLOW_PARTITIONS;
    while (max_flows != 0 && count > 1 && max_flows / count < PARTITION_FLOWS_MINIMUM)
        count /= 2;
    return count;
}

static void drop_wheel(struct flow_table *table, struct idle_wheel *wheel)
{
    for (uint32_t slot = 0; slot < wheel->slots; slot++) {
        while (wheel->heads[slot] != 0) {
            uint32_t id = wheel->heads[slot];
            idle_wheel_remove(wheel, &table->store, id);
            flow_store_remove(&table->store, id);
        }
    }
    idle_wheel_done(wheel);
}

static void drop_partition(struct flow_table *table, struct flow_partition *partition)
{
    if (partition != NULL)
        flow_drop_streams(table, partition);
    for (int kind = 0; partition != NULL && kind < IDLE_CLASSES; kind++)
        if (partition->wheels[kind].heads != NULL)
            drop_wheel(table, &partition->wheels[kind]);
    if (partition != NULL)
        look_queue_done(&partition->looks);
    free(partition);
}

// The exact part of the cap that is a partition's.
static uint32_t share_of_cap(const struct flow_table *table, unsigned number)
{
    uint32_t cap = table->policy.max_flows;
    if (cap == 0)
        return 0;
    uint32_t share = cap / table->partitions + (number < cap % table->partitions);
    return share != 0 ? share : 1;
}

static bool add_partition(struct flow_table *table, unsigned number)
{
    struct flow_partition *partition = calloc(1, sizeof *partition);
    if (partition == NULL)
        return false;
    partition->number = (uint8_t)number;
    partition->latest_over_ns = INT64_MIN;
    table->partition[number] = partition;
    partition->max_flows = share_of_cap(table, number);
    for (int kind = 0; kind < IDLE_CLASSES; kind++)
        if (!idle_wheel_init(&partition->wheels[kind], table->timeout_ns[kind]))
            return false;
    return true;
}

// Flows that a shard may hold at once: with a cap those and what ends within a tick; else a number that leaves
// address space for every shard, of half of it where that is limited (ulimit -v).
static uint32_t flows_at_most(const struct flow_policy *policy, unsigned shards)
{
    enum { UNCAPPED = 1 << 28, RESERVED_A_FLOW = 1024 };
    uint64_t flows = (uint64_t)policy->max_flows + FLOW_ENDED_IN_TICK;
    if (policy->max_flows != 0)
        return flows < FLOW_STORE_MAXIMUM ? (uint32_t)flows : FLOW_STORE_MAXIMUM;
    flows = UNCAPPED / (shards == 1 ? 2 : shards);
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur / 2 / shards / RESERVED_A_FLOW < flows)
        flows = limit.rlim_cur / 2 / shards / RESERVED_A_FLOW;
    return (uint32_t)flows;
}

// Whether any has changed.
static bool read_timeouts(struct flow_table *table)
{
    bool changed = false;
    for (int kind = 0; kind < IDLE_CLASSES; kind++) {
        int64_t timeout_ns = timeout_of_class(&table->policy, (enum idle_class)kind);
        changed |= timeout_ns != table->timeout_ns[kind];
        table->timeout_ns[kind] = timeout_ns;
    }
    return changed;
}

bool flow_table_init(struct flow_table *table, const struct flow_policy *policy, unsigned number,
                     unsigned shards)
{
    *table = (struct flow_table){.policy = *policy,
                                 .partitions = partition_count(policy->max_flows),
                                 .more_answers = MORE_ANSWERS,
                                 .newest_ns = INT64_MIN};
    table->most_flows = policy->max_flows;
    table->settled = table->partitions;
    read_timeouts(table);
    uint32_t flows = flows_at_most(policy, shards);
    bool whole = flow_store_init(&table->store, flows) &&
                 flow_index_init(&table->index, flows, flow_table_hash, table) &&
                 flow_index_init(&table->mirrors, flows, flow_mirror_hash, table);
    for (unsigned p = number; whole && p < table->partitions; p += shards)
        whole = add_partition(table, p);
    if (!whole)
        flow_table_done(table);
    return whole;
}

void flow_table_done(struct flow_table *table)
{
    struct flow_record record;
    int64_t order_ns;
    ended_list_sort(&table->ended, &table->store);
    while (flow_table_take(table, &record, &order_ns))
        flow_names_free(record.names);
    for (unsigned p = 0; p < FLOW_PARTITIONS; p++)
        drop_partition(table, table->partition[p]);
    ended_list_done(&table->ended);
    flow_index_done(&table->index);
    flow_index_done(&table->mirrors);
    flow_store_done(&table->store);
}

void flow_table_change(struct flow_table *table, const struct flow_policy *policy)
{
    struct flow_policy *now = &table->policy;
    assert(table->most_flows == 0 || (policy->max_flows != 0 && policy->max_flows <= table->most_flows));
    now->timeout_ns = policy->timeout_ns;
    now->tcp_timeout_ns = policy->tcp_timeout_ns;
    now->udp_timeout_ns = policy->udp_timeout_ns;
    now->icmp_timeout_ns = policy->icmp_timeout_ns;
    now->linger_ns = policy->linger_ns;
    now->active_timeout_ns = policy->active_timeout_ns;
    now->max_flows = policy->max_flows;
    now->never = policy->never;
    now->look_ns = policy->look_ns;
    now->begun = policy->begun;
    table->refile |= read_timeouts(table);
    table->settled = 0;
}

// Files every flow on the wheel of its own class, of the shape that the class's timeout asks for. Without memory the old
// ones go on: flows leave late then, none too early.
static void refile(struct flow_table *table, struct flow_partition *partition)
{
    struct idle_wheel before[IDLE_CLASSES], fresh[IDLE_CLASSES] = {0};
    bool whole = true;
    for (int kind = 0; kind < IDLE_CLASSES && whole; kind++)
        whole = idle_wheel_init(&fresh[kind], table->timeout_ns[kind]);
    if (whole) {
        memcpy(before, partition->wheels, sizeof before);
        memcpy(partition->wheels, fresh, sizeof fresh);
        for (int kind = 0; kind < IDLE_CLASSES; kind++) {
            uint32_t slot = 0;
            for (uint32_t id; (id = idle_wheel_drain(&before[kind], &table->store, &slot)) != 0;)
                flow_file(table, partition, id);
        }
    }
    for (int kind = 0; kind < IDLE_CLASSES; kind++)
        idle_wheel_done(whole ? &before[kind] : &fresh[kind]);
}

// The next partition of this shard.
static void settle_partition(struct flow_table *table, struct flow_partition *partition)
{
    partition->max_flows = share_of_cap(table, table->settled);
    if (table->refile)
        refile(table, partition);
}

bool flow_table_settle(struct flow_table *table)
{
    enum { FLOWS_A_STEP = 8192 };
    for (uint32_t filed = 0; table->settled < table->partitions && filed < FLOWS_A_STEP; table->settled++) {
        struct flow_partition *partition = table->partition[table->settled];
        if (partition == NULL)
            continue;
        settle_partition(table, partition);
        filed += table->refile ? partition->flows : 0;
    }
    table->refile &= table->settled < table->partitions;
    return table->settled < table->partitions;
}

static size_t partition_bytes(const struct flow_partition *partition)
{
    size_t bytes = partition != NULL ? partition->streams.bytes : 0;
    for (int kind = 0; partition != NULL && kind < IDLE_CLASSES; kind++)
        bytes += partition->wheels[kind].slots * sizeof(uint32_t);
    return bytes;
}

size_t flow_table_bytes(const struct flow_table *table)
{
    size_t bytes =
        flow_store_bytes(&table->store) + flow_index_bytes(&table->index) + flow_index_bytes(&table->mirrors);
    for (unsigned p = 0; p < FLOW_PARTITIONS; p++)
        bytes += partition_bytes(table->partition[p]);
    return bytes;
}
