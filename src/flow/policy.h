// What the settings say about flows, in the units of the flow table. Plain values, frozen at start.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct flow_policy {
    uint64_t
        hash_seed; // of partitions and the top flows' candidates: fixed, where results must be repeatable
    uint64_t index_seed;    // of the index; a secret of the process: nothing that is told may depend on it
    int64_t timeout_ns;     // idle; TCP that is not established and everything without a row below
    int64_t tcp_timeout_ns; // established TCP
    int64_t udp_timeout_ns;
    int64_t icmp_timeout_ns;
    int64_t linger_ns;         // how long a closed or reset flow stays
    int64_t active_timeout_ns; // 0 = no interim records
    int64_t look_ns;           // after which a flow is looked at for the detectors; 0 = never
    uint32_t max_flows;        // of the run; 0 = no cap
    uint32_t
        expire_at_most; // flows of a partition that one tick ends by their time; 0 = all. Others follow in the next
    bool never;         // no flow ever times out (flow.timeout_secs 0)
    bool observe_first; // a direction counts at the first interface that saw it
    bool rtt, retransmissions, out_of_order;
    bool begun; // flows that begin leave a record, too
};

static inline bool flow_policy_has_quality(const struct flow_policy *policy)
{
    return policy->rtt || policy->retransmissions || policy->out_of_order;
}

enum {
    FLOW_PARTITIONS = 64,
    FLOW_STORE_MAXIMUM = (1 << 29) - 1, // flows of a kind in a shard: what their ids have room for
    FLOW_ENDED_IN_TICK = 1 << 18,       // that may wait for the end of the tick besides those alive
};

// Into how many partitions a run divides its flows: 64, fewer when the flow cap is small; never a function of
// shards. What is bounded is bounded by partition.
unsigned partition_count(uint64_t max_flows);
static inline unsigned partition_of(uint64_t hash, unsigned partitions)
{
    return (unsigned)(hash >> 58) & (partitions - 1);
}
