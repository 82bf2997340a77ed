#include <assert.h>

#include "base/time.h"
#include "flow/tcp_segment.h"

static const int64_t reorder_window_ns = 3 * NS_PER_MS; // without a handshake RTT
static const uint32_t fast_retransmit_steps = (uint32_t)(20 * NS_PER_MS / TCP_STEP_NS);
static const uint8_t fast_retransmit_acks = 2; // duplicates; one more may have been lost before the capture

// What data below the highest number of its direction is.
// SEGMENT_REPEATED_IN_COPY: repeated where ACKs that were captured twice are taken for duplicate ACKs, as tshark does.
enum old_segment { SEGMENT_LATE, SEGMENT_REPEATED, SEGMENT_REPEATED_IN_COPY, SEGMENT_BEHIND_PROBE };

// Whether the segment is what the receiver has just asked for again and again.
static bool was_asked_for(const struct flow_store *store, const struct tcp_side *receiver,
                          const struct segment *segment)
{
    const struct tcp_trouble *trouble = flow_trouble(store, receiver);
    return trouble != NULL && trouble->asked >= fast_retransmit_acks &&
           segment->begin == receiver->last_ack && segment->at - trouble->heard_at < fast_retransmit_steps;
}

// Whether that is so only where frames captured twice count.
static bool was_asked_by_copies(const struct flow_store *store, const struct tcp_side *receiver)
{
    const struct tcp_trouble *trouble = flow_trouble(store, receiver);
    assert(trouble != NULL && trouble->asked_again <= trouble->asked);
    return trouble->asked - trouble->asked_again < fast_retransmit_acks;
}

// Whether the highest number was reached just now, and the segment does not repeat the data that reached it.
static bool may_be_late(const struct tcp_quality *quality, const struct tcp_side *side,
                        const struct segment *segment)
{
    int64_t window_ns = quality->handshake == TCP_HANDSHAKE_DONE ? quality->handshake_ns : reorder_window_ns;
    int64_t since_ns = (int64_t)(segment->at - side->advanced_at) * TCP_STEP_NS;
    return since_ns < window_ns && segment->end != side->next_sequence;
}

static enum old_segment judge(const struct flow_store *store, const struct tcp_quality *quality,
                              int direction, const struct segment *segment)
{
    const struct tcp_side *side = &quality->side[direction], *receiver = &quality->side[!direction];
    bool acknowledged = segment->data > 0 && (receiver->seen & TCP_SIDE_ACK) != 0 &&
                        !before(receiver->last_ack, segment->begin + segment->data);
    if (acknowledged)
        return SEGMENT_REPEATED;
    if (segment->data > 1 && segment->begin == side->next_sequence - 1)
        return SEGMENT_BEHIND_PROBE;
    bool may_be = may_be_late(quality, side, segment);
    if (!was_asked_for(store, receiver, segment))
        return may_be ? SEGMENT_LATE : SEGMENT_REPEATED;
    return may_be && was_asked_by_copies(store, receiver) ? SEGMENT_REPEATED_IN_COPY : SEGMENT_REPEATED;
}

// Data (or SYN, FIN) below the highest sequence number.
static void measure_old_segment(struct flow_store *store, struct tcp_quality *quality, int direction,
                                const struct segment *segment, const struct flow_policy *policy)
{
    struct tcp_side *side = &quality->side[direction];
    enum old_segment kind = judge(store, quality, direction, segment);
    if (kind == SEGMENT_BEHIND_PROBE)
        return;
    bool late = kind == SEGMENT_LATE, copied = segment->twice || kind == SEGMENT_REPEATED_IN_COPY;
    if (!late && !segment->twice)
        tcp_rtt_forget_from(side, segment->begin);
    struct tcp_trouble *trouble = flow_need_trouble(store, side);
    if (trouble == NULL)
        return;
    trouble->heard_at = segment->at;
    trouble->out_of_order += late && policy->out_of_order;
    trouble->retransmissions += !late && policy->retransmissions;
    trouble->duplicate_retransmissions += !late && copied && policy->retransmissions;
}

static bool is_keep_alive(const struct tcp_side *side, const struct segment *segment)
{
    return segment->data <= 1 && segment->begin == side->next_sequence - 1 &&
           (segment->tcp->flags & (TCP_SYN | TCP_FIN | TCP_RST)) == 0;
}

static bool is_window_probe(const struct tcp_side *side, const struct tcp_side *peer,
                            const struct segment *segment)
{
    return segment->data == 1 && segment->begin == side->next_sequence && (peer->seen & TCP_SIDE_ACK) != 0 &&
           peer->window == 0;
}

// Begins to follow a side at this segment.
static void start_side(const struct flow_store *store, struct tcp_side *side, const struct segment *segment)
{
    bool syn = (segment->tcp->flags & TCP_SYN) != 0;
    side->first_sequence = syn ? segment->begin : segment->begin - 1;
    side->next_sequence = segment->end;
    side->advanced_at = segment->at;
    side->wraps = 0;
    side->seen |= TCP_SIDE_SEQUENCE | TCP_SIDE_FIRST;
    side->seen &= (uint16_t) ~(TCP_SIDE_PENDING | TCP_SIDE_PENDING_NEWER);
    if (segment->data > 0)
        tcp_rtt_await(side, segment->end, segment->at);
    struct tcp_trouble *trouble = flow_trouble(store, side);
    if (trouble != NULL)
        trouble->holes = 0;
}

// Whether the segment has nothing to do with what its side sent before: the first one, the first SYN or one with another
// number, or one so far ahead that no window reaches there.
static bool is_other_stream(const struct tcp_side *side, const struct segment *segment)
{
    if ((side->seen & TCP_SIDE_SEQUENCE) == 0)
        return true;
    if ((segment->tcp->flags & TCP_SYN) != 0)
        return segment->begin != side->first_sequence;
    uint32_t distance = segment->begin - side->next_sequence;
    return distance > TCP_FARTHEST && (int32_t)distance > 0;
}

// A SYN-ACK with another number than the one before it: the side's stream is the one that its peer acknowledges.
static bool is_other_answer(const struct tcp_side *side, const struct segment *segment)
{
    return (segment->tcp->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) &&
           (side->seen & TCP_SIDE_SYN) != 0 && segment->begin != side->first_sequence;
}

static void note_kind(struct tcp_side *side, const struct tcp_side *peer, const struct segment *segment)
{
    side->seen &= (uint16_t) ~(TCP_SIDE_KEEP_ALIVE | TCP_SIDE_PROBE);
    if ((side->seen & TCP_SIDE_SEQUENCE) == 0 || segment->data > 1)
        return;
    if (is_keep_alive(side, segment))
        side->seen |= TCP_SIDE_KEEP_ALIVE;
    else if (is_window_probe(side, peer, segment))
        side->seen |= TCP_SIDE_PROBE;
}

static void measure_sequence(struct flow_store *store, struct tcp_quality *quality, int direction,
                             const struct segment *segment, const struct flow_policy *policy)
{
    struct tcp_side *side = &quality->side[direction];
    if (is_other_answer(side, segment)) {
        side->seen |= TCP_SIDE_TWO_ANSWERS;
        return;
    }
    if (is_other_stream(side, segment)) {
        start_side(store, side, segment);
        return;
    }
    if ((side->seen & (TCP_SIDE_KEEP_ALIVE | TCP_SIDE_PROBE)) != 0)
        return;
    if (before(side->next_sequence, segment->begin))
        tcp_hole_open(store, side, side->next_sequence, segment->begin);
    if (segment->begin != segment->end && before(segment->begin, side->next_sequence)) {
        measure_old_segment(store, quality, direction, segment, policy);
        struct tcp_trouble *trouble = flow_trouble(store, side);
        if (trouble != NULL && trouble->holes != 0)
            tcp_holes_fill(trouble, segment);
    } else if (segment->data > 0 && policy->rtt) {
        tcp_rtt_await(side, segment->end, segment->at);
    }
    if (before(side->next_sequence, segment->end))
        tcp_advance(side, segment->end, segment->at);
}

static bool is_duplicate_ack(const struct tcp_quality *quality, int direction, const struct segment *segment)
{
    const struct tcp_side *side = &quality->side[direction];
    const struct packet_tcp *tcp = segment->tcp;
    return segment->data == 0 && tcp->window != 0 && (side->seen & TCP_SIDE_ACK) != 0 &&
           (side->seen & TCP_SIDE_SEQUENCE) != 0 && tcp->window == side->window &&
           tcp->acknowledgement == side->last_ack && segment->begin == side->next_sequence &&
           (tcp->flags & (TCP_SYN | TCP_FIN | TCP_RST)) == 0 &&
           (quality->side[!direction].seen & TCP_SIDE_KEEP_ALIVE) == 0;
}

// Counts what an ACK asks for again; any other number ends the asking.
static void note_asking(struct flow_store *store, struct tcp_side *side, const struct segment *segment,
                        bool duplicate)
{
    struct tcp_trouble *trouble = duplicate ? flow_need_trouble(store, side) : flow_trouble(store, side);
    if (trouble == NULL)
        return;
    trouble->heard_at = segment->at;
    trouble->duplicate_acks += duplicate;
    if (segment->tcp->acknowledgement != side->last_ack)
        trouble->asked = trouble->asked_again = 0;
    if (!duplicate || segment->tcp->acknowledgement != side->last_ack || trouble->asked == UINT8_MAX)
        return;
    trouble->asked++;
    trouble->asked_again = (uint8_t)(trouble->asked_again + (segment->twice || segment->likely_twice));
}

static void count_zero_window(struct flow_store *store, struct tcp_side *side)
{
    struct tcp_trouble *trouble = flow_need_trouble(store, side);
    if (trouble != NULL)
        trouble->zero_windows++;
}

// What an ACK proves of its peer: where the numbers begin that were not seen, that a probe was taken, and which of two
// SYN-ACKs counts.
static void learn_from_ack(struct tcp_side *peer, const struct segment *segment)
{
    uint32_t ack = segment->tcp->acknowledgement;
    if ((peer->seen & TCP_SIDE_FIRST) == 0) {
        peer->first_sequence = ack - 1;
        peer->seen |= TCP_SIDE_FIRST;
    } else if ((peer->seen & TCP_SIDE_PROBE) != 0 && ack == peer->next_sequence + 1) {
        tcp_advance(peer, ack, segment->at);
    } else if ((peer->seen & TCP_SIDE_TWO_ANSWERS) != 0) {
        peer->seen &= (uint16_t)~TCP_SIDE_TWO_ANSWERS;
        if (peer->next_sequence == peer->first_sequence + 1) {
            peer->first_sequence = ack - 1;
            peer->next_sequence = ack;
        }
    }
}

static void measure_ack(struct flow_store *store, struct tcp_quality *quality, int direction,
                        const struct segment *segment)
{
    struct tcp_side *side = &quality->side[direction], *peer = &quality->side[!direction];
    const struct packet_tcp *tcp = segment->tcp;
    if (tcp->window == 0 && (tcp->flags & (TCP_SYN | TCP_FIN | TCP_RST)) == 0 &&
        (side->seen & TCP_SIDE_PROBE) == 0)
        count_zero_window(store, side);
    if ((tcp->flags & TCP_ACK) == 0)
        return;
    note_asking(store, side, segment, is_duplicate_ack(quality, direction, segment));
    learn_from_ack(peer, segment);
    if (tcp_rtt_is_settled(peer, tcp->acknowledgement))
        tcp_rtt_settle(peer, segment->at);
    bool passes = (side->seen & TCP_SIDE_ACK) != 0 && (peer->seen & TCP_SIDE_SEQUENCE) != 0 &&
                  tcp->acknowledgement != side->last_ack &&
                  tcp_holes_are_passed(store, peer, side->last_ack, tcp->acknowledgement);
    side->last_ack = tcp->acknowledgement;
    side->window = tcp->window;
    side->seen |= TCP_SIDE_ACK;
    if (passes)
        tcp_history_note_gap(store, quality, !direction);
}

// Whether the segment may be more to its side's state and history than the ones before it: most are not.
static bool changes_state(const struct tcp_side *side, const struct segment *segment)
{
    uint16_t letter = segment->data > 0 ? TCP_SIDE_LETTER_D : TCP_SIDE_LETTER_A;
    bool repeats = segment->data > 0 && !before(side->next_sequence, segment->end);
    return (segment->tcp->flags & (TCP_SYN | TCP_FIN | TCP_RST)) != 0 || (side->seen & letter) == 0 ||
           segment->tcp->window == 0 || repeats || side->state == SIDE_INACTIVE;
}

static bool is_over(struct tcp_quality *quality, const struct segment *segment)
{
    bool ended = ((quality->side[0].seen | quality->side[1].seen) & TCP_SIDE_ENDED) != 0;
    return ended && tcp_history_is_over(quality, segment->at);
}

static void count_sighting(struct flow_store *store, struct tcp_side *side, const struct segment *segment)
{
    struct tcp_trouble *trouble = flow_need_trouble(store, side);
    if (trouble == NULL)
        return;
    trouble->duplicate_frames += segment->twice;
    trouble->likely_duplicates += segment->likely_twice;
}

void tcp_measure_segment(struct flow_store *store, struct tcp_quality *quality, int direction,
                         const struct segment *segment, const struct flow_policy *policy)
{
    assert(direction == 0 || direction == 1);
    struct tcp_side *side = &quality->side[direction];
    const struct packet_tcp *tcp = segment->tcp;
    quality->last_side = (unsigned)direction & 1u;
    if (segment->twice || segment->likely_twice)
        count_sighting(store, side, segment);
    if (quality->handshake != TCP_HANDSHAKE_DONE)
        tcp_rtt_measure_handshake(quality, segment);
    if (!is_over(quality, segment) && changes_state(side, segment))
        tcp_sides_note(store, quality, direction, segment);
    if ((tcp->flags & TCP_RST) != 0)
        return;
    note_kind(side, &quality->side[!direction], segment);
    measure_ack(store, quality, direction, segment);
    measure_sequence(store, quality, direction, segment, policy);
    if ((tcp->flags & TCP_SYN) != 0)
        side->seen |= TCP_SIDE_SYN;
    if ((tcp->flags & TCP_FIN) != 0)
        side->seen |= TCP_SIDE_FIN;
}
