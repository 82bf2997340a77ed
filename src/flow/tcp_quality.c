#include "flow/tcp_segment.h"

#include <assert.h>

#include "base/time.h"

enum { RTT_EWMA_SHIFT = 3 }; // alpha = 1/8 = 0.125

static const int64_t reorder_window_ns = 3 * NS_PER_MS; // without a handshake RTT
static const int64_t fast_retransmit_ns = 20 * NS_PER_MS;
static const uint8_t fast_retransmit_acks = 2;  // duplicates; one more may have been lost before the capture
static const int32_t resync_distance = 1 << 30; // no window reaches that far: another stream

static void take_rtt_sample(struct tcp_quality *quality, int64_t rtt_ns)
{
    if (rtt_ns < 0)
        return; // the stamps step back
    uint64_t sample = (uint64_t)rtt_ns;
    if (quality->rtt_samples == 0) {
        quality->rtt_min_ns = quality->rtt_ewma_ns = sample;
    } else {
        if (sample < quality->rtt_min_ns)
            quality->rtt_min_ns = sample;
        uint64_t ewma = quality->rtt_ewma_ns;
        quality->rtt_ewma_ns = ewma - (ewma >> RTT_EWMA_SHIFT) + (sample >> RTT_EWMA_SHIFT);
    }
    quality->rtt_last_ns = sample;
    quality->rtt_samples++;
}

// The ACK of `side`'s peer covers some of its waiting segments: the newest of them gives the sample.
static void settle_pending(struct tcp_quality *quality, struct tcp_side *side, uint32_t ack, int64_t at_ns)
{
    int64_t sent_ns = -1;
    uint8_t kept = 0;
    for (uint8_t i = 0; i < side->pending; i++) {
        if (!before(ack, side->pending_end[i])) {
            if (side->pending_ns[i] > sent_ns)
                sent_ns = side->pending_ns[i];
        } else {
            side->pending_end[kept] = side->pending_end[i];
            side->pending_ns[kept++] = side->pending_ns[i];
        }
    }
    if (kept != side->pending)
        take_rtt_sample(quality, at_ns - sent_ns);
    side->pending = kept;
}

static void note_pending(struct tcp_side *side, const struct segment *segment)
{
    assert(side->pending <= TCP_PENDING);
    if (side->pending == TCP_PENDING)
        return;
    side->pending_end[side->pending] = segment->end;
    side->pending_ns[side->pending++] = segment->sent_ns;
}

// Karn: an ACK that covers a retransmission says nothing about when its data was sent.
static void forget_pending_after(struct tcp_side *side, uint32_t begin)
{
    uint8_t kept = 0;
    for (uint8_t i = 0; i < side->pending; i++) {
        if (!before(begin, side->pending_end[i])) {
            side->pending_end[kept] = side->pending_end[i];
            side->pending_ns[kept++] = side->pending_ns[i];
        }
    }
    side->pending = kept;
}

static void drop_hole(struct tcp_trouble *trouble, unsigned i)
{
    assert(i < trouble->holes && trouble->holes <= TCP_HOLES);
    trouble->hole[i] = trouble->hole[--trouble->holes];
}

// A place for one more hole; with all taken the lowest is forgotten (its bytes stay missed).
static struct tcp_hole *hole_place(struct tcp_trouble *trouble)
{
    if (trouble->holes == TCP_HOLES) {
        unsigned lowest = 0;
        for (unsigned i = 1; i < TCP_HOLES; i++)
            if (before(trouble->hole[i].begin, trouble->hole[lowest].begin))
                lowest = i;
        drop_hole(trouble, lowest);
    }
    assert(trouble->holes < TCP_HOLES);
    return &trouble->hole[trouble->holes++];
}

// Remembers that [begin, end) was not seen.
static void open_hole(struct flow_store *store, struct tcp_side *side, uint32_t begin, uint32_t end)
{
    assert(before(begin, end));
    struct tcp_trouble *trouble = flow_need_trouble(store, side);
    if (trouble == NULL)
        return;
    if (__builtin_add_overflow(trouble->bytes_missed, end - begin, &trouble->bytes_missed))
        trouble->bytes_missed = UINT32_MAX;
    *hole_place(trouble) = (struct tcp_hole){.begin = begin, .end = end};
}

// Takes the segment's part out of one hole; the bytes that it filled.
static uint32_t fill_hole(struct tcp_trouble *trouble, unsigned i, const struct segment *segment)
{
    assert(i < trouble->holes);
    struct tcp_hole *hole = &trouble->hole[i];
    uint32_t begin = greatest(hole->begin, segment->begin);
    uint32_t end = least(hole->end, segment->end);
    if (!before(begin, end))
        return 0;
    uint32_t behind = hole->end;
    if (begin == hole->begin) {
        hole->begin = end;
    } else {
        hole->end = begin;
        if (end != behind && trouble->holes < TCP_HOLES) // without a place what lies behind stays missed
            trouble->hole[trouble->holes++] = (struct tcp_hole){.begin = end, .end = behind};
    }
    return end - begin;
}

// What the segment fills of the holes of its direction.
static uint32_t fill_holes(struct tcp_trouble *trouble, const struct segment *segment)
{
    uint32_t filled = 0;
    for (unsigned i = trouble->holes; i-- > 0;) {
        filled += fill_hole(trouble, i, segment);
        if (trouble->hole[i].begin == trouble->hole[i].end)
            drop_hole(trouble, i);
    }
    return filled;
}

// Whether the segment is what the receiver has just asked for again and again: a fast retransmission of
// something that was lost before it came by here.
static bool was_asked_for(const struct tcp_trouble *trouble, const struct tcp_side *receiver,
                          const struct segment *segment)
{
    return trouble->asked >= fast_retransmit_acks && segment->begin == receiver->last_ack &&
           segment->sent_ns - trouble->asked_ns < fast_retransmit_ns;
}

// Whether the segment fills a hole, and that soon after the highest number was reached.
static bool is_late(const struct tcp_quality *quality, struct tcp_trouble *trouble, int direction,
                    const struct segment *segment)
{
    uint32_t filled = fill_holes(trouble, segment);
    trouble->bytes_missed -= filled < trouble->bytes_missed ? filled : trouble->bytes_missed;
    if (filled == 0 || was_asked_for(trouble, &quality->side[!direction], segment))
        return false;
    int64_t window_ns = quality->handshake == TCP_HANDSHAKE_DONE && quality->handshake_ns > 0
                            ? quality->handshake_ns
                            : reorder_window_ns;
    return segment->sent_ns - trouble->advanced_ns < window_ns;
}

// Data (or SYN, FIN) below the highest sequence number: sent before, or late.
static void judge_old_segment(struct flow_store *store, struct tcp_quality *quality, int direction,
                              const struct segment *segment, const struct flow_policy *policy)
{
    struct tcp_side *side = &quality->side[direction];
    struct tcp_trouble *trouble = flow_need_trouble(store, side);
    bool late = trouble != NULL && is_late(quality, trouble, direction, segment);
    if (!late)
        forget_pending_after(side, segment->begin);
    if (trouble == NULL)
        return;
    trouble->out_of_order += late && policy->out_of_order;
    trouble->retransmissions += !late && policy->retransmissions;
}

// The stream reaches a new highest sequence number.
static void advance(const struct flow_store *store, struct tcp_side *side, const struct segment *segment)
{
    if (!before(side->next_sequence, segment->end))
        return;
    side->next_sequence = segment->end;
    struct tcp_trouble *trouble = flow_trouble(store, side);
    if (trouble != NULL)
        trouble->advanced_ns = segment->sent_ns;
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
    side->next_sequence = segment->end;
    side->seen |= TCP_SIDE_SEQUENCE;
    side->pending = 0;
    if (segment->data > 0)
        note_pending(side, segment);
    struct tcp_trouble *trouble = flow_trouble(store, side);
    if (trouble != NULL)
        trouble->holes = 0;
}

// Whether the segment has nothing to do with what its side sent before: the first one, a SYN with another
// number, or one so far ahead that no window reaches there.
static bool is_other_stream(const struct tcp_quality *quality, int direction, const struct segment *segment)
{
    const struct tcp_side *side = &quality->side[direction];
    if ((side->seen & TCP_SIDE_SEQUENCE) == 0)
        return true;
    if ((segment->tcp->flags & TCP_SYN) != 0)
        return segment->begin != quality->first_sequence[direction];
    return (int32_t)(segment->begin - side->next_sequence) > resync_distance;
}

static void measure_sequence(struct flow_store *store, struct tcp_quality *quality, int direction,
                             const struct segment *segment, const struct flow_policy *policy)
{
    struct tcp_side *side = &quality->side[direction];
    if (is_other_stream(quality, direction, segment)) {
        start_side(store, side, segment);
        return;
    }
    bool keep_alive = is_keep_alive(side, segment);
    side->seen = (uint8_t)((side->seen & ~TCP_SIDE_KEEP_ALIVE) | (keep_alive ? TCP_SIDE_KEEP_ALIVE : 0));
    if (keep_alive || is_window_probe(side, &quality->side[!direction], segment))
        return;
    if (before(side->next_sequence, segment->begin))
        open_hole(store, side, side->next_sequence, segment->begin);
    if (segment->begin != segment->end && before(segment->begin, side->next_sequence))
        judge_old_segment(store, quality, direction, segment, policy);
    else if (segment->data > 0 && policy->rtt)
        note_pending(side, segment);
    advance(store, side, segment);
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

// A duplicate ACK asks for what begins at its number; any other ACK ends the asking.
static void note_asking(struct tcp_trouble *trouble, bool duplicate, const struct segment *segment)
{
    if (!duplicate)
        trouble->asked = 0;
    else if (trouble->asked < UINT8_MAX)
        trouble->asked++;
    trouble->asked_ns = segment->sent_ns;
}

// Counts what an ACK says about the stream that it answers: its sender's trouble holds the counters, its
// peer's what was asked for.
static void note_complaints(struct flow_store *store, struct tcp_quality *quality, int direction,
                            const struct segment *segment, bool duplicate)
{
    struct tcp_side *side = &quality->side[direction];
    if (duplicate) {
        struct tcp_trouble *own = flow_need_trouble(store, side);
        if (own != NULL)
            own->duplicate_acks++;
    }
    struct tcp_trouble *asked_of = flow_trouble(store, &quality->side[!direction]);
    if (asked_of != NULL && (duplicate || segment->tcp->acknowledgement != side->last_ack))
        note_asking(asked_of, duplicate, segment);
}

static void count_zero_window(struct flow_store *store, struct tcp_side *side)
{
    struct tcp_trouble *trouble = flow_need_trouble(store, side);
    if (trouble != NULL)
        trouble->zero_windows++;
}

static void measure_ack(struct flow_store *store, struct tcp_quality *quality, int direction,
                        const struct segment *segment)
{
    struct tcp_side *side = &quality->side[direction];
    const struct packet_tcp *tcp = segment->tcp;
    if (tcp->window == 0 && (tcp->flags & (TCP_SYN | TCP_FIN | TCP_RST)) == 0)
        count_zero_window(store, side);
    if ((tcp->flags & TCP_ACK) == 0)
        return;
    note_complaints(store, quality, direction, segment, is_duplicate_ack(quality, direction, segment));
    settle_pending(quality, &quality->side[!direction], tcp->acknowledgement, segment->sent_ns);
    side->last_ack = tcp->acknowledgement;
    side->window = tcp->window;
    side->seen |= TCP_SIDE_ACK;
}

// From the SYN to the ACK that completes the handshake, whether or not the SYN-ACK was seen.
static void measure_handshake(struct tcp_quality *quality, int direction, const struct segment *segment)
{
    uint8_t flags = segment->tcp->flags;
    if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
        quality->handshake = (uint8_t)(TCP_HANDSHAKE_SYN_A + direction);
        quality->handshake_ns = segment->sent_ns;
    } else if (quality->handshake == TCP_HANDSHAKE_SYN_A + direction &&
               (flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_ACK) {
        int64_t rtt_ns = segment->sent_ns - quality->handshake_ns;
        quality->handshake = rtt_ns < 0 ? TCP_HANDSHAKE_NONE : TCP_HANDSHAKE_DONE; // the stamps step back
        quality->handshake_ns = rtt_ns;
    }
}

void tcp_measure_segment(struct flow_store *store, struct tcp_quality *quality, int direction,
                         const struct segment *segment, const struct flow_policy *policy)
{
    assert(direction == 0 || direction == 1);
    const struct packet_tcp *tcp = segment->tcp;
    if (quality->handshake != TCP_HANDSHAKE_DONE)
        measure_handshake(quality, direction, segment);
    if ((tcp->flags & TCP_RST) != 0)
        return;
    measure_ack(store, quality, direction, segment);
    measure_sequence(store, quality, direction, segment, policy);
    if ((tcp->flags & TCP_SYN) != 0)
        quality->first_sequence[direction] = tcp->sequence;
}
