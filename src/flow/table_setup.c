// The beginning and the end of a flow table, its partitions, and what it takes.
#include <stdlib.h>
#include <sys/resource.h>

#include "flow/ending.h"

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
    for (int kind = 0; partition != NULL && kind < IDLE_CLASSES; kind++)
        if (partition->wheels[kind].heads != NULL)
            drop_wheel(table, &partition->wheels[kind]);
    free(partition);
}

static bool add_partition(struct flow_table *table, unsigned number)
{
    struct flow_partition *partition = calloc(1, sizeof *partition);
    if (partition == NULL)
        return false;
    partition->latest_over_ns = INT64_MIN;
    table->partition[number] = partition;
    uint32_t cap = table->policy.max_flows;
    if (cap != 0) {
        uint32_t share = cap / table->partitions + (number < cap % table->partitions);
        partition->max_flows = share != 0 ? share : 1;
    }
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

bool flow_table_init(struct flow_table *table, const struct flow_policy *policy, unsigned number,
                     unsigned shards)
{
    *table = (struct flow_table){.policy = *policy, .partitions = partition_count(policy->max_flows)};
    for (int kind = 0; kind < IDLE_CLASSES; kind++)
        table->timeout_ns[kind] = timeout_of_class(policy, (enum idle_class)kind);
    uint32_t flows = flows_at_most(policy, shards);
    bool whole = flow_store_init(&table->store, flows) &&
                 flow_index_init(&table->index, flows, flow_table_hash, table);
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
    flow_store_done(&table->store);
}

static size_t wheel_bytes(const struct flow_partition *partition)
{
    size_t bytes = 0;
    for (int kind = 0; partition != NULL && kind < IDLE_CLASSES; kind++)
        bytes += partition->wheels[kind].slots * sizeof(uint32_t);
    return bytes;
}

size_t flow_table_bytes(const struct flow_table *table)
{
    size_t bytes = flow_store_bytes(&table->store) + flow_index_bytes(&table->index);
    for (unsigned p = 0; p < FLOW_PARTITIONS; p++)
        bytes += wheel_bytes(table->partition[p]);
    return bytes;
}
