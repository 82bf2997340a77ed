// Round trips: of data, by Karn's rule, and of the handshake.
//
// One segment of a side waits for its ACK at a time; the next one takes its place once, so that where a receiver answers
// every second segment the newer one is measured, whose ACK was not held back. Steps come around after 14 minutes and a
// flow that rested for five has nothing waiting any more (tcp_rest), so that the age of what waits is never mistaken.
#include "flow/tcp_segment.h"

#include <assert.h>

enum { EWMA_SHIFT = 3 }; // alpha = 1/8 = 0.125
static const uint32_t longest_steps = (uint32_t)(TCP_LONGEST_RTT_NS / TCP_STEP_NS);

static bool waits_too_long(const struct tcp_side *side, uint32_t now)
{
    return now - side->pending_at > longest_steps;
}

static void forget(struct tcp_side *side)
{
    side->seen &= (uint16_t) ~(TCP_SIDE_PENDING | TCP_SIDE_PENDING_NEWER);
}

void tcp_rtt_await(struct tcp_side *side, uint32_t end, uint32_t at)
{
    if ((side->seen & TCP_SIDE_PENDING) != 0 && waits_too_long(side, at))
        forget(side);
    if ((side->seen & TCP_SIDE_PENDING_NEWER) != 0)
        return;
    side->seen |= (side->seen & TCP_SIDE_PENDING) != 0 ? TCP_SIDE_PENDING_NEWER : TCP_SIDE_PENDING;
    side->pending_end = end;
    side->pending_at = at;
}

static void take_sample(struct tcp_rtt *rtt, uint32_t sample)
{
    if (rtt->samples == 0) {
        rtt->least = rtt->ewma = sample;
    } else {
        if (sample < rtt->least)
            rtt->least = sample;
        rtt->ewma = rtt->ewma - (rtt->ewma >> EWMA_SHIFT) + (sample >> EWMA_SHIFT);
    }
    rtt->last = sample;
    rtt->samples += rtt->samples != UINT32_MAX;
}

void tcp_rtt_settle(struct tcp_side *side, uint32_t at)
{
    assert((side->seen & TCP_SIDE_PENDING) != 0);
    if (!waits_too_long(side, at)) // nor do the stamps step back, which looks as long
        take_sample(&side->rtt, at - side->pending_at);
    forget(side);
}

// Karn: an ACK that covers a retransmission says nothing about when its data was sent.
void tcp_rtt_forget_from(struct tcp_side *side, uint32_t begin)
{
    if ((side->seen & TCP_SIDE_PENDING) != 0 && before(begin, side->pending_end))
        forget(side);
}

void tcp_rest(struct flow_store *store, const struct flow *flow)
{
    struct tcp_quality *quality = flow_quality(store, flow);
    for (int direction = 0; quality != NULL && direction < 2; direction++)
        forget(&quality->side[direction]);
    if (quality != NULL)
        tcp_history_rest(quality);
}

// From the last SYN to the first ACK behind it, whoever sends that: also the one that refuses. A span of nothing tells
// no round trip (of two stamps that are equal); the next ACK may.
void tcp_rtt_measure_handshake(struct tcp_quality *quality, const struct segment *segment)
{
    uint8_t flags = segment->tcp->flags & (TCP_SYN | TCP_ACK);
    if (flags == TCP_SYN) {
        quality->handshake = TCP_HANDSHAKE_SYN;
        quality->handshake_ns = segment->sent_ns;
    } else if (quality->handshake == TCP_HANDSHAKE_SYN && flags == TCP_ACK) {
        int64_t rtt_ns = segment->sent_ns - quality->handshake_ns;
        if (rtt_ns == 0)
            return;
        bool sound = rtt_ns > 0 && rtt_ns <= TCP_LONGEST_RTT_NS; // the stamps do not step back
        quality->handshake = sound ? TCP_HANDSHAKE_DONE : TCP_HANDSHAKE_NONE;
        quality->handshake_ns = rtt_ns;
    }
}

const struct tcp_rtt *tcp_far_rtt(const struct tcp_quality *quality)
{
    const struct tcp_rtt *rtt = &quality->side[0].rtt, *other = &quality->side[1].rtt;
    if (rtt->samples == 0 || (other->samples != 0 && other->least > rtt->least))
        return other;
    return rtt;
}
