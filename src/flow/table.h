// The flow table of a shard: from packets to flows, and from flows to records. One thread; no lock, clock or
// I/O. Memory grows with the flows and is bounded by policy.max_flows plus what ends within one tick.
//
// What is bounded (flows, and who must make room) is counted by partition, so that the result does not depend
// on how many shards there are; storage and index are the shard's.
//
// A flow that ends leaves the index at once and waits on the ended list until the tick is over; then every
// record is taken in order, which frees the flow.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/app/dns.h"
#include "decode/app/tls.h"
#include "flow/dns_transaction.h"
#include "flow/ended.h"
#include "flow/idle.h"
#include "flow/index.h"
#include "flow/look.h"
#include "flow/payload.h"
#include "flow/policy.h"
#include "flow/record.h"
#include "flow/store.h"

enum idle_class {
    IDLE_ATTEMPT_TCP, // attempts: only one side has sent
    IDLE_ATTEMPT_UDP,
    IDLE_ATTEMPT_ICMP,
    IDLE_ATTEMPT_OTHER,
    IDLE_ATTEMPTS,            // how many classes are attempts
    IDLE_TCP = IDLE_ATTEMPTS, // both sides, not established
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

struct flow_partition {
    uint8_t number;
    uint32_t flows;     // active
    uint32_t attempts;  // of these
    uint32_t max_flows; // its exact part of policy.max_flows; 0 = no cap
    // A flow that begins no later than one that is over began may have its key and beginning: how many are over
    // tells them apart. The packets of the partition alone decide it.
    uint32_t over;
    int64_t latest_over_ns; // the latest beginning of those; INT64_MIN = none
    struct idle_wheel wheels[IDLE_CLASSES];
    struct look_queue looks;
    struct assembly_pool streams;
    uint32_t more_answers; // of this tick, see flow_table.more_answers
};

// A flow that ends, while it is still whole: for whoever counts ends (the shard, and the detectors' evidence). Ends of a
// tick are all told before the first of its records is taken.
struct flow_end {
    int64_t first_ns, end_ns; // flow time
    uint8_t protocol;
    uint8_t tcp_state; // enum tcp_state
    uint8_t reason;    // enum end_reason
    bool answered;     // both sides have sent
};
typedef void flow_end_function(void *owner, const struct flow_end *end);

struct flow_table {
    struct flow_policy policy;
    flow_end_function *on_end; // NULL = nobody counts
    void *on_end_owner;
    flow_look_function *on_look; // wherever policy.look_ns may be set
    void *on_look_owner;
    int64_t timeout_ns[IDLE_CLASSES];   // 0 = never
    int64_t expired_slot[IDLE_CLASSES]; // slots before it have been expired
    bool slowly;                        // an eighth of policy.expire_at_most: whoever takes the records lags
    unsigned unexpired;                 // classes of which some were left to the next tick, as bits
    unsigned partitions;                // of the run
    struct flow_partition *partition[FLOW_PARTITIONS]; // NULL = another shard's
    struct flow_store store;
    struct flow_index index;
    struct flow_index mirrors; // of flows inside tunnels, see mirror.h
    struct ended_list ended;
    struct flow_table_counts counts;
    struct payload_counts payload;
    uint32_t more_answers; // most that a partition lists of a tick's DNS answers beyond one a packet
    int64_t newest_ns;     // flow time at which the youngest flow began
    uint32_t
        most_flows; // that policy.max_flows may be raised to: the store has no room for more; 0 = no cap at all
    bool refile;    // a timeout has changed: flows that are not settled are filed anew
    unsigned settled; // partitions that follow the policy; all but while a change of it is put in force
};

// The table of shard `number` of `shards`, which owns the partitions p with p mod shards = number.
bool flow_table_init(struct flow_table *table, const struct flow_policy *policy, unsigned number,
                     unsigned shards);
// Frees the flows that are left too; records not taken are lost.
void flow_table_done(struct flow_table *table);

// What became of a packet.
struct flow_hit {
    struct flow *flow;     // NULL: refused
    uint32_t id;           // of it
    uint32_t stream_first; // of SEGMENT_AHEAD
    uint8_t sender;
    uint8_t place;        // enum segment_place, of a segment with data
    bool duplicate;       // another interface owns this direction: counted nowhere
    bool second_sighting; // the same, but observation is `all`: counted
    bool peer_sent;       // the other side had sent before
    bool handshake_done;  // it holds the first ACK of who sent the SYN
    bool joined;          // the flow's key is of another form (mirror.h) than the packet's
    bool went_on;         // the first word behind a SYN-ACK whose receiver was not seen: it proves an answer
};

// A change of what may change while flows are alive: the timeouts, the interim records, begun flows, and max_flows up
// to most_flows. New flows follow it at once; flow_table_settle() brings the others in line, some thousands at a
// call (whole partitions), and is called until it says that all are. Flows beyond a lower max_flows are evicted over the next ticks.
void flow_table_change(struct flow_table *table, const struct flow_policy *policy);
bool flow_table_settle(struct flow_table *table);

// Counts a packet in its flow, which is made when there is none. *hit comes with the packet's direction in the key
// (sender) and a hint (id) which flow it may be, as flow_table_prefetch_node() said in this tick, or 0. hit->flow is valid
// until the next call with the table.
void flow_table_packet(struct flow_table *table, const struct packet *packet, const struct flow_key *key,
                       uint64_t hash, struct flow_hit *hit);

// Touch early what flow_table_packet() will read: the bucket first, some packets later the node that it
// names, then the parts of the node. The id is a hint which flow it may be: 0 = none. Of the parts only the quality:
// asking for the others, as flow_prefetch_parts() does where a flow ends, costs a packet more than it saves.
PREFETCHING void flow_table_prefetch_bucket(const struct flow_table *table, uint64_t hash)
{
    flow_index_prefetch(&table->index, hash);
}

PREFETCHING uint32_t flow_table_prefetch_node(const struct flow_table *table, uint64_t hash)
{
    struct index_walk walk = {0};
    uint32_t id = flow_index_next(&table->index, hash, &walk);
    if (id != 0) {
        const char *node = (const char *)flow_at(&table->store, id);
        prefetch_write(node);
        if ((id & FLOW_ID_V6) != 0)
            prefetch_write(node + 64);
    }
    return id;
}

PREFETCHING void flow_table_prefetch_parts(const struct flow_table *table, uint32_t hint)
{
    if (hint == 0)
        return;
    const char *quality = (const char *)flow_quality(&table->store, flow_at(&table->store, hint));
    if (quality != NULL) {
        prefetch_write(quality);
        prefetch_write(quality + 64);
    }
}

// The end of a tick: ends what has been idle for its timeout and, with `last`, every flow (reason `end`, at
// `now_ns`); then records can be taken.
void flow_table_tick(struct flow_table *table, int64_t now_ns, bool last);

// The next record of the tick, in the order of the outputs; frees its flow unless that goes on. The names
// move into the record. `order_ns` is the end in flow time, which knows no steps of the clock. False when
// there are no more.
bool flow_table_take(struct flow_table *table, struct flow_record *out, int64_t *order_ns);

// A record of a flow that goes on, which borrows its names until the next call with the table.
void flow_table_peek(const struct flow_table *table, uint32_t id, struct flow_record *out);
// The same with a copy of its names.
void flow_table_copy(const struct flow_table *table, uint32_t id, struct flow_record *out);

static inline uint32_t flow_table_active(const struct flow_table *table)
{
    return table->index.entries;
}

size_t flow_table_bytes(const struct flow_table *table);
