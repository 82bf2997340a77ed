// The flow table of one partition: from packets to flows, and from flows to records. A shard owns its
// tables; one thread; no lock, clock or I/O. Memory grows with the flows and is bounded by
// policy.max_flows plus what ends within one tick.
//
// A flow that ends leaves the index at once and waits on the shard's ended list until the tick is over;
// then the list is sorted and every record is taken, which frees the flow.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/app/dns.h"
#include "decode/app/tls.h"
#include "flow/dns_transaction.h"
#include "flow/idle.h"
#include "flow/index.h"
#include "flow/policy.h"
#include "flow/record.h"
#include "flow/store.h"

struct flow_table;

// A flow whose record is due: ended, or still alive with an interim record (END_ACTIVE).
struct ended_flow {
    int64_t end_ns; // flow time
    struct flow_table *table;
    uint32_t id;
    uint8_t reason; // enum end_reason
};

// Owned by the shard, shared by its tables; grows as needed.
struct ended_list {
    struct ended_flow *items;
    size_t count, room;
};

void ended_list_done(struct ended_list *list);
// Into the order of the outputs: end time, key.
void ended_list_sort(struct ended_list *list);

enum idle_class {
    IDLE_ATTEMPT_TCP, // attempts: only one side has sent
    IDLE_ATTEMPT_UDP,
    IDLE_ATTEMPT_ICMP,
    IDLE_ATTEMPT_OTHER,
    IDLE_TCP, // both sides, not established
    IDLE_ESTABLISHED,
    IDLE_UDP,
    IDLE_ICMP,
    IDLE_OTHER,
    IDLE_CLOSED, // closed or reset: lingers
    IDLE_CLASSES,
};

struct flow_table_counts {
    uint64_t created, ended[END_REASONS];
    uint64_t refused; // no memory for another flow: the packet belongs to none
};

struct flow_table {
    const struct flow_policy *policy;
    struct ended_list *ended;
    struct flow_store store;
    struct flow_index index;
    struct idle_wheel wheels[IDLE_CLASSES];
    struct flow_table_counts counts;
};

bool flow_table_init(struct flow_table *table, const struct flow_policy *policy, struct ended_list *ended);
// Frees the flows that are left too; the ended list must be empty.
void flow_table_done(struct flow_table *table);

// What became of a packet.
struct flow_hit {
    struct flow *flow;    // NULL: refused
    bool duplicate;       // another interface owns this direction: counted nowhere
    bool second_sighting; // the same, but observation is `all`: counted
    bool created;
};

// Counts a packet in its flow, which is made when there is none. `sender` is the packet's direction in the
// key. The flow pointer is valid until the next call with the table.
struct flow_hit flow_table_packet(struct flow_table *table, const struct packet *packet,
                                  const struct flow_key *key, uint64_t hash, uint8_t sender);

// Touch early what flow_table_packet() will read: the bucket first, some packets later the node.
static inline void flow_table_prefetch_bucket(const struct flow_table *table, uint64_t hash)
{
    flow_index_prefetch(&table->index, hash);
}

static inline void flow_table_prefetch_node(const struct flow_table *table, uint64_t hash)
{
    struct index_walk walk = {0};
    uint32_t id = flow_index_next(&table->index, hash, &walk);
    if (id != 0) {
        const char *node = (const char *)flow_at(&table->store, id);
        __builtin_prefetch(node);
        __builtin_prefetch(node + 64);
    }
}

// Names met in the flow's payload.
void flow_note_tls(struct flow_table *table, struct flow *flow, const struct tls_hello *hello);
// True when the message answers a question (or an mDNS announcement): *out is filled then.
bool flow_note_dns(struct flow_table *table, struct flow *flow, const struct packet *packet,
                   const struct dns_message *message, struct dns_transaction *out);

// The end of a tick: ends what has been idle for its timeout.
void flow_table_expire(struct flow_table *table, int64_t now_ns);
// The end of the run: ends every flow (reason `end`, at `now_ns`).
void flow_table_finish(struct flow_table *table, int64_t now_ns);

// The record of an entry of the ended list; frees the flow unless it is still alive. The names move into
// the record.
void flow_table_take(const struct ended_flow *ended, struct flow_record *out);

static inline uint32_t flow_table_active(const struct flow_table *table)
{
    return table->index.entries;
}

size_t flow_table_bytes(const struct flow_table *table);
