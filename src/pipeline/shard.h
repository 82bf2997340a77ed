// A shard: the thread-free core that owns partitions of the flow table and everything their packets touch.
// It takes batches and gives, at the end of each tick, a report and the flows that ended, in order. One thread at a
// time; no I/O, no clock: time comes with the batch.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mailbox.h"
#include "flow/policy.h"
#include "pipeline/batch.h"
#include "pipeline/shard_report.h"
#include "pipeline/tick.h"

struct shard;

struct shard_setup {
    struct flow_policy policy; // max_flows is the run's: each partition gets its exact part
    unsigned number, shards;   // this one owns the partitions p with p mod shards = number
    bool names;                // look into payloads
    uint32_t tick_packets;     // of the run, at most; 0 = nobody says
    bool top_flows;            // report the flows with the most bytes of an interval
    uint64_t generation;       // of the settings
    const atomic_bool *behind; // of struct tick_consumer, borrowed; NULL = nobody ever is
};

struct shard *shard_create(const struct shard_setup *setup);
void shard_destroy(struct shard *shard);

// The pipeline of a packet: application, flow table, evidence. The batch is given back as it came.
void shard_batch(struct shard *shard, const struct batch *batch);

// The end of a tick (`last`: and of the run): expires flows, sorts what ended and fills the report, whose DNS list is
// swapped for the tick's. After it, shard_next_ended() hands over the records one by one until there are no more.
// `interval_end`: the report lists the flows with the most bytes since the last one that did.
void shard_tick(struct shard *shard, int64_t now_ns, bool last, bool interval_end,
                struct shard_report *report);
bool shard_next_ended(struct shard *shard, struct ended_record *out);

// Messages. Any thread posts, once the shard takes them; its owner serves them between two batches: changes at once, a
// slice of the questions. Whether there is more to do.
struct message;
enum mailbox_result shard_post(struct shard *shard, struct message *message);
bool shard_has_messages(struct shard *shard); // or something left to do of one; the owner
bool shard_serve(struct shard *shard, int64_t now_ns);
void shard_begin_serving(struct shard *shard);
void shard_end_serving(struct shard *shard); // serves what was posted before

void shard_report_done(struct shard_report *report); // frees what it holds

// Since the start.
const struct shard_totals *shard_totals(const struct shard *shard);
