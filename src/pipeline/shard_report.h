// What a shard reports at the end of a tick: one report a shard and tick, made when every flow that ends in the tick
// has ended, and moved by pointer. It leaves ahead of the records of these flows, so that DNS answers name the flows
// of their tick, however many there are. A shard owns the reports; whoever read one gives it back.
#pragma once

#include <stdint.h>

#include "detect/evidence.h"
#include "flow/dns_transaction.h"
#include "flow/payload_counts.h"
#include "flow/policy.h"
#include "flow/record.h"
#include "flow/top.h"

// What a shard counted since its start.
struct shard_totals {
    uint64_t analysed, analysed_bytes, duplicate, second_sightings;
    uint64_t flows_created, flows_active, flows_ended[END_REASONS];
    uint64_t flows_refused;      // packets without a flow: no memory
    uint64_t flows_unanswered;   // ended, and only one side had ever sent
    uint64_t flows_inconclusive; // of these: evicted before an answer could come
    uint64_t flow_table_bytes;
    uint64_t protocol_packets[256], protocol_bytes[256]; // by IP protocol
    uint64_t arp, arp_bytes, not_ip, not_ip_bytes;       // without a flow
    struct payload_counts payload;
};

enum { TICK_TOP_FLOWS = 100 };

struct shard_report {
    struct shard_totals totals;
    uint64_t generation; // of the settings that are in force for every flow of the shard
    struct dns_list dns;
    unsigned top_count; // when the tick ends an interval
    struct top_flow top[TICK_TOP_FLOWS];
    struct evidence evidence;
};
