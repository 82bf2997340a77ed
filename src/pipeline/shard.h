// A shard: the thread-free core that owns partitions of the flow table and everything their packets touch.
// It takes batches and gives, at the end of each tick, the flows that ended in order and a report of its
// totals. One thread at a time; no I/O, no clock: time comes with the batch.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/mailbox.h"
#include "flow/dns_transaction.h"
#include "flow/table.h"
#include "flow/top.h"
#include "pipeline/batch.h"

// What a shard counted since its start.
struct shard_totals {
    uint64_t analysed, analysed_bytes, duplicate, second_sightings;
    uint64_t flows_created, flows_active, flows_ended[END_REASONS];
    uint64_t flows_refused; // packets without a flow: no memory
    uint64_t flow_table_bytes;
    uint64_t protocol_packets[256], protocol_bytes[256]; // by IP protocol
    uint64_t dns_messages, tls_hellos;
    uint64_t bad_messages; // DNS or TLS that contradict themselves
};

struct shard;

struct shard_setup {
    struct flow_policy policy; // max_flows is the run's: each partition gets its exact part
    unsigned number, shards;   // this one owns the partitions p with p mod shards = number
    bool names;                // look into payloads
    bool top_flows;            // keep candidates for shard_top_flows()
};

struct shard *shard_create(const struct shard_setup *setup);
void shard_destroy(struct shard *shard);

// The pipeline of a packet: application, flow table, evidence. The batch is given back as it came.
void shard_batch(struct shard *shard, const struct batch *batch);

// A record on its way out, with what orders it against those of other shards: the end in flow time, which
// knows no steps of the clock, then its key.
struct ended_record {
    int64_t order_ns;
    struct flow_record record;
};

// The DNS transactions of a tick, in the order of their packets. Moved by swapping.
struct dns_list {
    struct dns_transaction *items;
    unsigned count, room;
};

// The end of a tick (`last`: and of the run): expires flows and sorts what ended. After it,
// shard_next_ended() hands over the records one by one until there are no more, and shard_swap_dns() the
// tick's DNS transactions for an empty list.
void shard_tick(struct shard *shard, int64_t now_ns, bool last);
bool shard_next_ended(struct shard *shard, struct ended_record *out);
void shard_swap_dns(struct shard *shard, struct dns_list *list);

// The flows with the most bytes since the last call, `most` at most, largest first; returns how many.
unsigned shard_top_flows(struct shard *shard, struct top_flow *out, unsigned most);

// Questions. Any thread asks, once the shard has begun to answer; its owner answers a slice of the oldest
// between two batches. Whether there is more to answer.
struct question;
enum mailbox_result shard_ask(struct shard *shard, struct question *question);
bool shard_answer(struct shard *shard);
void shard_begin_answering(struct shard *shard);
void shard_end_answering(struct shard *shard); // answers what was asked before

const struct shard_totals *shard_totals(const struct shard *shard);
