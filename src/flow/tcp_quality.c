#include "flow/tcp.h"

#include "base/time.h"

enum { RTT_EWMA_SHIFT = 3 }; // alpha = 1/8 = 0.125

static const int64_t reorder_window_ns = 3 * NS_PER_MS; // without a handshake RTT
static const int64_t fast_retransmit_ns = 20 * NS_PER_MS;
static const uint8_t fast_retransmit_acks = 2;  // duplicates; one more may have been lost before the capture
static const int32_t resync_distance = 1 << 30; // no window reaches that far: another stream

// One segment with what it means in sequence space.
struct segment {
    const struct packet_tcp *tcp;
    uint32_t begin, end; // SYN and FIN take a number each
    uint32_t data;       // bytes of payload
    int64_t sent_ns;     // the packet's own stamp
};

static bool before(uint32_t left, uint32_t right)
{
    return (int32_t)(left - right) < 0;
}

static uint32_t least(uint32_t left, uint32_t right)
{
    return before(left, right) ? left : right;
}

static uint32_t greatest(uint32_t left, uint32_t right)
{
    return before(left, right) ? right : left;
}

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
    return &trouble->hole[trouble->holes++];
}

// Remembers that [begin, end) was not seen.
static void open_hole(struct flow_store *store, struct tcp_side *side, uint32_t begin, uint32_t end)
{
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

static struct segment segment_of(const struct packet_tcp *tcp, uint32_t data, int64_t sent_ns)
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

static void measure_segment(struct flow_store *store, struct tcp_quality *quality, int direction,
                            const struct segment *segment, const struct flow_policy *policy)
{
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

// Whether the flow so far is one SYN without data: its number is all there is to remember of it, so that a
// flood of them costs no more than their nodes.
static bool is_opening_syn(const struct flow *flow, const struct packet *packet)
{
    return flow_has_one_packet(flow) && flow->client_from == CLIENT_SYN && packet->payload_length == 0 &&
           (packet->tcp.flags & TCP_FIN) == 0;
}

static bool is_from_client(const struct flow *flow, int direction)
{
    return direction == ((flow->marks & FLOW_MARK_CLIENT_B) != 0);
}

static bool is_second_packet(const struct flow *flow)
{
    return flow->packets[0] == 1 && flow->packets[1] == 1;
}

// Whether the packet is the next of a handshake in which nothing is out of the ordinary.
static bool continues_opening(const struct flow *flow, const struct tcp_opening *opening,
                              const struct packet *packet, int direction)
{
    const struct packet_tcp *tcp = &packet->tcp;
    if (packet->payload_length != 0 || (tcp->flags & (TCP_ACK | TCP_FIN | TCP_RST)) != TCP_ACK)
        return false;
    if (opening == NULL)
        return (tcp->flags & TCP_SYN) != 0 && flow->client_from == CLIENT_SYN && is_second_packet(flow) &&
               !is_from_client(flow, direction);
    return (tcp->flags & TCP_SYN) == 0 && opening->segments < TCP_OPENING_SEGMENTS && tcp->window != 0 &&
           is_from_client(flow, direction) && tcp->sequence == opening->syn_sequence + 1;
}

// Keeps a segment of the handshake for later. False: the flow goes beyond it, or there is no memory.
static bool wait_in_opening(struct flow_store *store, struct flow *flow, const struct packet *packet,
                            int direction)
{
    struct tcp_opening *opening = flow_opening(store, flow);
    if (!continues_opening(flow, opening, packet, direction))
        return false;
    if (opening == NULL) {
        uint32_t syn_sequence = flow->quality;
        opening = flow_make_opening(store, flow);
        if (opening == NULL)
            return false;
        opening->syn_sequence = syn_sequence;
    }
    unsigned at = opening->segments++;
    opening->segment[at].sent_ns = packet->time_ns;
    opening->segment[at].sequence = packet->tcp.sequence;
    opening->segment[at].acknowledgement = packet->tcp.acknowledgement;
    opening->segment[at].window = packet->tcp.window;
    opening->segment[at].flags = packet->tcp.flags;
    return true;
}

void tcp_measure_opening(const struct tcp_opening *opening, int client, int64_t syn_ns,
                         const struct flow_policy *policy, struct tcp_quality *quality)
{
    struct packet_tcp syn = {.sequence = opening->syn_sequence, .flags = TCP_SYN};
    struct segment segment = segment_of(&syn, 0, syn_ns);
    measure_segment(NULL, quality, client, &segment, policy);
    for (unsigned i = 0; i < opening->segments; i++) {
        struct packet_tcp tcp = {
            .sequence = opening->segment[i].sequence,
            .acknowledgement = opening->segment[i].acknowledgement,
            .window = opening->segment[i].window,
            .flags = opening->segment[i].flags,
        };
        segment = segment_of(&tcp, 0, opening->segment[i].sent_ns);
        measure_segment(NULL, quality, i == 0 ? !client : client, &segment, policy);
    }
}

// Makes the part, and measures in it what waited for it.
static struct tcp_quality *begin_quality(struct flow_store *store, struct flow *flow,
                                         const struct packet *packet, const struct flow_policy *policy)
{
    bool opened = flow->client_from == CLIENT_SYN && !flow_has_one_packet(flow);
    struct tcp_opening opening = {.syn_sequence = flow->quality};
    if ((flow->marks & FLOW_MARK_OPENING) != 0)
        opening = flow_take_opening(store, flow);
    struct tcp_quality *quality = flow_make_quality(store, flow);
    if (quality != NULL && opened)
        tcp_measure_opening(&opening, (flow->marks & FLOW_MARK_CLIENT_B) != 0,
                            flow->first_ns - packet->clock_offset_ns, policy, quality);
    return quality;
}

void tcp_measure(struct flow_store *store, struct flow *flow, const struct packet *packet, int direction,
                 const struct flow_policy *policy)
{
    struct tcp_quality *quality = flow_quality(store, flow);
    if (quality == NULL) {
        if (is_opening_syn(flow, packet) || wait_in_opening(store, flow, packet, direction))
            return;
        quality = begin_quality(store, flow, packet, policy);
        if (quality == NULL)
            return;
    }
    struct segment segment = segment_of(&packet->tcp, packet->payload_length, packet->time_ns);
    measure_segment(store, quality, direction, &segment, policy);
}
