// Frames that were captured twice, as where two ports of a switch are mirrored into one. A frame is known again by 16 bits
// of a digest of its IP id, numbers, length, flags and window. A side remembers its last frame, one with trouble its last 16: the
// first frame of a pair that is not seen side by side makes the trouble. By chance another frame is taken for one of
// these once in 4,000 times, but such a one is asked about only when it also repeats what was sent. Without an id (IPv6,
// the SYN-ACKs of some systems) only the side's last frame counts, and only within a time in which no host sends again.
// Bare ACKs and RSTs may be sent so all the same: they count where they, and what is known, are so many that every frame
// of the flow is there twice (take.c).
#include "flow/tcp_segment.h"

static const uint32_t within_steps = (uint32_t)(NS_PER_S / TCP_STEP_NS);
static const uint32_t at_once_steps = (uint32_t)(NS_PER_MS / TCP_STEP_NS);

uint16_t tcp_frame_of(const struct packet_tcp *tcp, uint32_t data)
{
    uint64_t digest = ((uint64_t)tcp->sequence << 32 | tcp->acknowledgement) * UINT64_C(0x9e3779b97f4a7c15);
    digest ^= ((uint64_t)data << 40) ^ ((uint64_t)tcp->ip_id << 24 | (uint64_t)tcp->window << 8 | tcp->flags);
    digest *= UINT64_C(0xd6e8feb86659fd93);
    uint16_t frame = (uint16_t)(digest >> 48);
    return frame != 0 ? frame : 1;
}

// Steps since the side was last heard of, or its data grew.
static uint32_t steps_since(const struct tcp_side *side, const struct tcp_trouble *trouble, uint32_t at)
{
    uint32_t grew = at - side->advanced_at;
    uint32_t heard = trouble != NULL ? at - trouble->heard_at : grew;
    return heard < grew ? heard : grew;
}

// ACKs of holes and RSTs are sent in equal pairs too.
static bool may_be_sent_twice(const struct segment *segment)
{
    uint8_t flags = segment->tcp->flags;
    return (flags & TCP_RST) != 0 || (segment->data == 0 && (flags & (TCP_SYN | TCP_FIN)) == 0);
}

// Whether it is among the side's last frames; it is one of them from now on.
static bool is_remembered(struct tcp_trouble *trouble, uint16_t frame)
{
    uint16_t found = 0; // of the width of a frame: they are compared several at a time
    for (unsigned i = 0; i < TCP_FRAMES; i++)
        found = (uint16_t)(found + (trouble->frame[i] == frame));
    if (found != 0)
        return true;
    trouble->frame[trouble->next_frame] = frame;
    trouble->next_frame = (uint8_t)((trouble->next_frame + 1) % TCP_FRAMES);
    return false;
}

enum tcp_sighting tcp_frame_sighting(const struct flow_store *store, struct tcp_quality *quality,
                                     int direction, const struct segment *segment)
{
    struct tcp_side *side = &quality->side[direction];
    struct tcp_trouble *trouble = flow_trouble(store, side);
    bool has_id = segment->tcp->ip_id != 0;
    bool soon = steps_since(side, trouble, segment->at) < (has_id ? within_steps : at_once_steps);
    bool in_a_row = segment->at_once && quality->last_side == direction;
    bool twice = (soon || in_a_row) && side->frame == segment->frame;
    side->frame = segment->frame;
    if (!has_id && twice)
        return may_be_sent_twice(segment) ? FRAME_LIKELY_TWICE : FRAME_TWICE;
    if (has_id && trouble != NULL)
        twice |= is_remembered(trouble, segment->frame) && soon;
    return twice ? FRAME_TWICE : FRAME_NEW;
}
