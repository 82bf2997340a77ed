#include "flow/tcp.h"

static bool is_reset(const struct flow *flow)
{
    return flow->tcp_state == TCP_STATE_RESET;
}

static enum tcp_state state_after_fin(const struct flow *flow, int direction)
{
    return (flow->tcp_flags[!direction] & TCP_FIN) != 0 ? TCP_STATE_CLOSED : TCP_STATE_FIN_WAIT;
}

// A plain ACK or data: what it proves about the handshake.
static enum tcp_state state_after_ack(const struct flow *flow, int direction)
{
    uint8_t other = flow->tcp_flags[!direction];
    if (flow->tcp_state == TCP_STATE_SYN_ACK && (other & TCP_SYN) != 0)
        return TCP_STATE_ESTABLISHED;
    bool midway = flow->tcp_state == TCP_STATE_UNKNOWN || flow->tcp_state == TCP_STATE_SYN_SENT;
    if (midway && (other & TCP_ACK) != 0)
        return TCP_STATE_ESTABLISHED; // the handshake, or its SYN-ACK, was not seen: both sides talk
    return flow->tcp_state;
}

static enum tcp_state state_after_syn(const struct flow *flow, uint8_t flags)
{
    if ((flags & TCP_ACK) != 0)
        return flow->tcp_state <= TCP_STATE_SYN_SENT ? TCP_STATE_SYN_ACK : flow->tcp_state;
    return flow->tcp_state <= TCP_STATE_UNKNOWN ? TCP_STATE_SYN_SENT : flow->tcp_state;
}

void tcp_track_state(struct flow *flow, const struct packet *packet, int direction)
{
    uint8_t flags = packet->tcp.flags;
    enum tcp_state state = flow->tcp_state == TCP_STATE_NONE ? TCP_STATE_UNKNOWN : flow->tcp_state;
    flow->tcp_state = state & 0xf;
    if ((flags & TCP_RST) != 0)
        state = TCP_STATE_RESET;
    else if (is_reset(flow) || state == TCP_STATE_CLOSED)
        ; // an end is final: a new connection is a new flow
    else if ((flags & TCP_FIN) != 0)
        state = state_after_fin(flow, direction);
    else if ((flags & TCP_SYN) != 0)
        state = state_after_syn(flow, flags);
    else if ((flags & TCP_ACK) != 0)
        state = state_after_ack(flow, direction);

    if (state == TCP_STATE_RESET && flow->tcp_state == TCP_STATE_CLOSED)
        state = TCP_STATE_CLOSED; // a late RST does not undo an orderly end
    flow->tcp_state = state & 0xf;
    flow->tcp_flags[direction] |= flags;
}

// Of the SYN that a side sent.
static uint32_t first_sequence(const struct flow_store *store, const struct flow *flow, int direction)
{
    const struct tcp_quality *quality = flow_quality(store, flow);
    if (quality != NULL)
        return quality->first_sequence[direction];
    const struct tcp_opening *opening = flow_opening(store, flow);
    if (opening == NULL)
        return flow->quality;
    bool client = direction == ((flow->marks & FLOW_MARK_CLIENT_B) != 0);
    return client ? opening->syn_sequence : opening->segment[0].sequence;
}

bool tcp_is_reuse(const struct flow_store *store, const struct flow *flow, const struct packet *packet,
                  int direction)
{
    bool ended = flow->tcp_state == TCP_STATE_CLOSED || flow->tcp_state == TCP_STATE_RESET;
    if (!ended || !packet->has_transport || (packet->tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
        return false;
    if ((flow->tcp_flags[direction] & TCP_SYN) == 0)
        return true;
    return first_sequence(store, flow, direction) != packet->tcp.sequence;
}
