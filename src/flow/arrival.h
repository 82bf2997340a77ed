// A packet that arrives at the table, and the flow that it is of: found, made, or moved out of another. Internal to flow/. The
// table's thread.
#pragma once

#include "flow/ending.h"
#include "flow/table.h"
#include "flow/tcp.h"

// A packet and whose it is.
struct arrival {
    const struct packet *packet;
    const struct flow_key *key;
    uint64_t hash, found_hash; // of its key; of the flow that was found, whose key may be of another form
    int64_t at_ns;             // flow time
    uint8_t sender;
};

// Whether the flow that has the packet's key may not be the packet's flow.
static inline bool arrival_is_in_doubt(const struct flow_table *table, const struct flow *flow,
                                       const struct packet *packet, int64_t at_ns)
{
    return flow_has_timed_out(table, flow, at_ns) ||
           (flow->protocol == IP_PROTOCOL_TCP && (packet->tcp.flags & TCP_SYN) != 0);
}

// The flow of an arrival, where there is none under its key (found = 0) or that one is in doubt; 0: refused, which is
// counted. hit->joined and *kin are told.
uint32_t arrival_settle(struct flow_table *table, uint32_t found, struct arrival *arrival,
                        struct flow_hit *hit, enum tcp_kin *kin);

// Says who the flow's client is, by the packet with which it begins.
void flow_begin_client(struct flow *flow, const struct packet *packet, uint8_t sender);
