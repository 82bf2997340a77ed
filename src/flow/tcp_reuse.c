// One five-tuple, several connections: which SYN begins a new one.
#include "flow/tcp.h"

static bool is_syn(const struct packet *packet)
{
    return packet->has_transport && (packet->tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

// Of the SYN that a side sent, or the number before its first data: what a SYN-ACK acknowledged. False: not known.
static bool knows_first_sequence(const struct flow_store *store, const struct flow *flow, int direction,
                                 uint32_t *sequence)
{
    const struct tcp_quality *quality = flow_quality(store, flow);
    const struct tcp_opening *opening = flow_opening(store, flow);
    bool client = direction == ((flow->marks & FLOW_MARK_CLIENT_B) != 0);
    if (quality != NULL)
        *sequence = quality->side[direction].first_sequence;
    else if (opening != NULL)
        *sequence = client ? opening->syn_sequence : opening->segment[0].sequence;
    else
        *sequence = flow->quality;
    return quality != NULL ? (quality->side[direction].seen & TCP_SIDE_FIRST) != 0
                           : (flow->tcp_flags[direction] & TCP_SYN) != 0;
}

static bool has_ended(const struct flow *flow)
{
    return flow->tcp_state == TCP_STATE_CLOSED || flow->tcp_state == TCP_STATE_RESET;
}

// Refused, and asked again so much later that it is no frame captured twice.
static bool is_retry(const struct flow *flow, int direction, int64_t rested_ns)
{
    static const int64_t soonest_ns = 100 * NS_PER_MS;
    bool refused = (flow->tcp_flags[!direction] & (TCP_SYN | TCP_RST)) == TCP_RST;
    return flow->tcp_state == TCP_STATE_RESET && refused && rested_ns >= soonest_ns;
}

static enum tcp_kin kin_of_syn(const struct flow_store *store, const struct flow *flow,
                               const struct packet *packet, int direction, int64_t rested_ns)
{
    static const int64_t rest_ns = 5 * NS_PER_S;
    uint32_t first = 0;
    bool known = knows_first_sequence(store, flow, direction, &first);
    if (known && first == packet->tcp.sequence)
        return is_retry(flow, direction, rested_ns) ? TCP_KIN_RETRY : TCP_KIN_OWN;
    if (has_ended(flow) || rested_ns >= rest_ns)
        return TCP_KIN_NEXT;
    return known ? TCP_KIN_CHALLENGE : TCP_KIN_OWN;
}

// Whether a SYN-ACK answers a SYN that challenges the flow.
static bool answers(const struct flow_store *store, const struct flow *flow, const struct packet *packet,
                    int direction)
{
    const struct flow_extra *extra = flow_extra(store, flow);
    return extra != NULL && extra->challenge.packets != 0 && extra->challenge.side == !direction &&
           packet->tcp.acknowledgement == extra->challenge.sequence + 1;
}

enum tcp_kin tcp_kin(const struct flow_store *store, const struct flow *flow, const struct packet *packet,
                     int direction, int64_t rested_ns)
{
    if (is_syn(packet))
        return kin_of_syn(store, flow, packet, direction, rested_ns);
    bool is_answer =
        packet->has_transport && (packet->tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK);
    return is_answer && answers(store, flow, packet, direction) ? TCP_KIN_ANSWER : TCP_KIN_OWN;
}

void tcp_note_challenge(struct flow_store *store, struct flow *flow, const struct packet *packet,
                        int direction, int64_t at_ns)
{
    struct flow_extra *extra = flow_need_extra(store, flow);
    if (extra == NULL)
        return;
    struct tcp_challenge *challenge = &extra->challenge;
    flow->extra |= FLOW_EXTRA_FOLLOWS;
    if (challenge->packets == 0 || challenge->sequence != packet->tcp.sequence ||
        challenge->side != direction)
        *challenge = (struct tcp_challenge){
            .first_ns = at_ns,
            .rested_ns = flow->last_ns,
            .sequence = packet->tcp.sequence,
            .side = (uint8_t)direction,
        };
    if (challenge->packets == UINT16_MAX)
        return;
    challenge->packets++;
    challenge->bytes += packet->length;
}

void tcp_outlive_challenge(struct flow_store *store, struct flow *flow, int64_t at_ns)
{
    struct flow_extra *extra = flow_extra(store, flow);
    if (extra != NULL && extra->challenge.packets != 0 && at_ns > extra->challenge.rested_ns)
        extra->challenge.rested_ns = at_ns;
}
