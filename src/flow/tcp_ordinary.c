// Segments in which nothing is out of the ordinary: the next data of a side, or an ACK of more, in a connection that is
// past its opening. Of what tcp_measure_segment() asks they change a few fields; a test holds the two against each other.
#include "flow/tcp_segment.h"

// Of both sides: the next segment means more than its numbers say.
enum {
    SIDE_UNUSUAL = TCP_SIDE_KEEP_ALIVE | TCP_SIDE_PROBE | TCP_SIDE_TWO_ANSWERS | TCP_SIDE_ENDED,
};

static inline bool knows(const struct tcp_side *side, uint16_t seen)
{
    return (side->seen & (seen | SIDE_UNUSUAL)) == seen;
}

// More data, or an ACK of more, whose letter the history has.
static inline bool says_more(const struct tcp_side *side, const struct packet *packet)
{
    static const uint16_t seen = TCP_SIDE_SEQUENCE | TCP_SIDE_ACK;
    if (packet->payload_length != 0)
        return packet->payload_length > 1 && knows(side, seen | TCP_SIDE_LETTER_D);
    return packet->tcp.acknowledgement != side->last_ack && knows(side, seen | TCP_SIDE_LETTER_A);
}

static inline bool is_beyond(const struct tcp_side *side, uint32_t ack)
{
    return (side->seen & TCP_SIDE_SEQUENCE) != 0 && before(side->next_sequence, ack);
}

static inline bool is_ordinary(const struct tcp_quality *quality, int direction, const struct packet *packet)
{
    const struct tcp_side *side = &quality->side[direction], *peer = &quality->side[!direction];
    const struct packet_tcp *tcp = &packet->tcp;
    return (tcp->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK &&
           tcp->sequence == side->next_sequence && says_more(side, packet) && tcp->window != 0 &&
           knows(peer, TCP_SIDE_FIRST) && !is_beyond(peer, tcp->acknowledgement) &&
           side->state != SIDE_INACTIVE && quality->handshake != TCP_HANDSHAKE_SYN;
}

// The same of sides with trouble, which remember more. False: it is not, and nothing was done.
static bool is_ordinary_in_trouble(const struct flow_store *store, const struct tcp_quality *quality,
                                   int direction, const struct packet *packet, uint16_t frame)
{
    const struct tcp_side *side = &quality->side[direction], *peer = &quality->side[!direction];
    struct tcp_trouble *trouble = flow_trouble(store, side);
    uint32_t ack = packet->tcp.acknowledgement;
    bool more = ack != side->last_ack;
    if (more && tcp_holes_are_passed(store, peer, side->last_ack, ack))
        return false;
    if (trouble == NULL)
        return true;
    if (packet->tcp.ip_id != 0 && !tcp_frame_is_new(trouble, frame))
        return false;
    trouble->heard_at = step_of(packet->time_ns);
    if (more)
        trouble->asked = trouble->asked_again = 0;
    return true;
}

bool tcp_measure_ordinary(const struct flow_store *store, struct tcp_quality *quality, int direction,
                          const struct packet *packet, const struct flow_policy *policy)
{
    struct tcp_side *side = &quality->side[direction], *peer = &quality->side[!direction];
    if (!is_ordinary(quality, direction, packet))
        return false;
    uint16_t frame = tcp_frame_of(&packet->tcp, packet->payload_length);
    if (frame == side->frame)
        return false;
    if ((side->trouble | peer->trouble) != 0 &&
        !is_ordinary_in_trouble(store, quality, direction, packet, frame))
        return false;
    uint32_t at = step_of(packet->time_ns);
    quality->last_side = (unsigned)direction & 1u;
    side->frame = frame;
    side->last_ack = packet->tcp.acknowledgement;
    side->window = packet->tcp.window;
    if (tcp_rtt_is_settled(peer, side->last_ack))
        tcp_rtt_settle(peer, at);
    if (packet->payload_length == 0)
        return true;
    uint32_t end = packet->tcp.sequence + packet->payload_length;
    if (policy->rtt)
        tcp_rtt_await(side, end, at);
    tcp_advance(side, end, at);
    return true;
}
