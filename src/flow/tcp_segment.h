// A TCP segment in sequence space, for tcp_quality.c, which measures it, and tcp_opening.c, which keeps those of a
// handshake until that is worth it.
#pragma once

#include "flow/tcp.h"

// One segment with what it means in sequence space.
struct segment {
    const struct packet_tcp *tcp;
    uint32_t begin, end; // SYN and FIN take a number each
    uint32_t data;       // bytes of payload
    int64_t sent_ns;     // the packet's own stamp
};

static inline bool before(uint32_t left, uint32_t right)
{
    return (int32_t)(left - right) < 0;
}

static inline uint32_t least(uint32_t left, uint32_t right)
{
    return before(left, right) ? left : right;
}

static inline uint32_t greatest(uint32_t left, uint32_t right)
{
    return before(left, right) ? right : left;
}

static inline struct segment segment_of(const struct packet_tcp *tcp, uint32_t data, int64_t sent_ns)
{
    uint32_t numbers = data + ((tcp->flags & TCP_SYN) != 0) + ((tcp->flags & TCP_FIN) != 0);
    return (struct segment){
        .tcp = tcp,
        .begin = tcp->sequence,
        .end = tcp->sequence + numbers,
        .data = data,
        .sent_ns = sent_ns,
    };
}

// Updates the quality part. `store` gives further parts; NULL where the segment asks for none.
void tcp_measure_segment(struct flow_store *store, struct tcp_quality *quality, int direction,
                         const struct segment *segment, const struct flow_policy *policy);
