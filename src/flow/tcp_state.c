#include "flow/tcp.h"

static bool is_reset(const struct flow *flow)
{
    return flow->tcp_state == TCP_STATE_RESET;
}

static enum tcp_state state_after_fin(const struct flow *flow, int direction)
{
    return (flow->tcp_flags[!direction] & TCP_FIN) != 0 ? TCP_STATE_CLOSED : TCP_STATE_FIN_WAIT;
}

// A plain ACK or data: what it proves about the handshake. A side's own word proves what its peer sent, so that of a
// connection whose other direction is not captured as much is known. Of one that is met midway the second word counts:
// the first may be anybody's.
static enum tcp_state state_after_ack(const struct flow *flow, int direction)
{
    uint8_t own = flow->tcp_flags[direction], other = flow->tcp_flags[!direction];
    bool proven = false;
    if (flow->tcp_state == TCP_STATE_SYN_ACK)
        proven = ((own | other) & TCP_SYN) != 0;
    else if (flow->tcp_state == TCP_STATE_SYN_SENT)
        proven = (own & TCP_SYN) != 0 || (other & TCP_ACK) != 0;
    else if (flow->tcp_state == TCP_STATE_UNKNOWN)
        proven = ((own | other) & TCP_ACK) != 0;
    return proven ? TCP_STATE_ESTABLISHED : flow->tcp_state;
}

static enum tcp_state state_after_syn(const struct flow *flow, uint8_t flags)
{
    if ((flags & TCP_ACK) != 0)
        return flow->tcp_state <= TCP_STATE_SYN_SENT ? TCP_STATE_SYN_ACK : flow->tcp_state;
    return flow->tcp_state <= TCP_STATE_UNKNOWN ? TCP_STATE_SYN_SENT : flow->tcp_state;
}

// FIN, then RST of the same side, then the other's FIN.
static bool ends_in_order(const struct flow *flow, const struct packet *packet, int direction)
{
    uint8_t ends = TCP_FIN | TCP_RST;
    return (packet->tcp.flags & TCP_FIN) != 0 && (flow->tcp_flags[!direction] & ends) == ends &&
           (flow->tcp_flags[direction] & TCP_RST) == 0;
}

void tcp_track_state(struct flow *flow, const struct packet *packet, int direction)
{
    uint8_t flags = packet->tcp.flags;
    if ((flags & (TCP_SYN | TCP_FIN | TCP_RST)) == 0 && flow->tcp_state >= TCP_STATE_ESTABLISHED) {
        flow->tcp_flags[direction] |= flags; // most segments
        return;
    }
    enum tcp_state state = flow->tcp_state == TCP_STATE_NONE ? TCP_STATE_UNKNOWN : flow->tcp_state;
    flow->tcp_state = state & 0xf;
    if ((flags & TCP_RST) != 0)
        state = TCP_STATE_RESET;
    else if (is_reset(flow) && ends_in_order(flow, packet, direction))
        state = TCP_STATE_CLOSED;
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
