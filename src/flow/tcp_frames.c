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

// ACKs of holes and RSTs are sent in equal pairs too.
static bool may_be_sent_twice(const struct segment *segment)
{
    uint8_t flags = segment->tcp->flags;
    return (flags & TCP_RST) != 0 || (segment->data == 0 && (flags & (TCP_SYN | TCP_FIN)) == 0);
}

static void remember(struct tcp_trouble *trouble, uint16_t frame)
{
    trouble->frame[trouble->next_frame] = frame;
    trouble->next_frame = (uint8_t)((trouble->next_frame + 1) % TCP_FRAMES);
}

static bool is_remembered(const struct tcp_trouble *trouble, uint16_t frame)
{
    uint16_t found = 0; // of the width of a frame: they are compared several at a time
    for (unsigned i = 0; i < TCP_FRAMES; i++)
        found = (uint16_t)(found + (trouble->frame[i] == frame));
    return found != 0;
}

bool tcp_frame_is_new(struct tcp_trouble *trouble, uint16_t frame)
{
    if (is_remembered(trouble, frame))
        return false;
    remember(trouble, frame);
    return true;
}

// Whether the side was heard of, or its data grew, so lately that the frame may be one that came then.
static bool is_soon(const struct tcp_side *side, const struct tcp_trouble *trouble,
                    const struct segment *segment)
{
    uint32_t within = segment->tcp->ip_id != 0 ? within_steps : at_once_steps;
    return segment->at - side->advanced_at < within ||
           (trouble != NULL && segment->at - trouble->heard_at < within);
}

// A frame that is the side's last one, or (`among`) one of its last.
static enum tcp_sighting sighting_of(const struct tcp_quality *quality, const struct tcp_trouble *trouble,
                                     int direction, const struct segment *segment, bool among)
{
    const struct tcp_side *side = &quality->side[direction];
    bool last = side->frame == segment->frame, soon = is_soon(side, trouble, segment);
    bool in_a_row = segment->at_once && quality->last_side == direction;
    if (!(last && (soon || in_a_row)) && !(among && soon))
        return FRAME_NEW;
    return segment->tcp->ip_id == 0 && may_be_sent_twice(segment) ? FRAME_LIKELY_TWICE : FRAME_TWICE;
}

enum tcp_sighting tcp_frame_sighting(const struct flow_store *store, struct tcp_quality *quality,
                                     int direction, const struct segment *segment)
{
    struct tcp_side *side = &quality->side[direction];
    struct tcp_trouble *trouble = segment->tcp->ip_id != 0 ? flow_trouble(store, side) : NULL;
    bool among = trouble != NULL && !tcp_frame_is_new(trouble, segment->frame);
    enum tcp_sighting sighting = FRAME_NEW;
    if (among || side->frame == segment->frame)
        sighting = sighting_of(quality, flow_trouble(store, side), direction, segment, among);
    side->frame = segment->frame;
    return sighting;
}
