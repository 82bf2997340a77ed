// The ends of flows, for the flow table. Internal to flow/.
#pragma once

#include "flow/table.h"

// The hash of a flow of the table as far as the index uses it; an index_hash_function.
uint64_t flow_table_hash(const void *owner, uint32_t id);

static inline struct flow_partition *flow_table_partition(const struct flow_table *table, uint64_t hash)
{
    return table->partition[partition_of(hash, table->partitions)];
}

// The class by which a flow is idle: of its protocol, its state, and whether both sides have sent.
enum idle_class flow_class_of(const struct flow *flow);

// Puts a flow on the wheel of its class, and takes it off the wheel it is on.
void flow_file(struct flow_table *table, struct flow_partition *partition, uint32_t id);
void flow_unfile(struct flow_table *table, struct flow_partition *partition, uint32_t id);

// Takes a flow, already off its wheel, off the index and puts it on the ended list.
void flow_end(struct flow_table *table, struct flow_partition *partition, uint32_t id, uint64_t hash,
              enum end_reason reason, int64_t now_ns);

// Whether the flow was idle for longer than its class allows, and how it ends then.
bool flow_has_timed_out(const struct flow_table *table, const struct flow *flow, int64_t at_ns);
enum end_reason flow_reason_when_idle(const struct flow *flow);

// Makes room for one flow: attempts go first while they fill more than half of the partition, then the least
// recently seen.
void flow_evict_one(struct flow_table *table, struct flow_partition *partition, int64_t now_ns);
