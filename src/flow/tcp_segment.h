// A TCP segment in sequence space, for tcp_quality.c and tcp_ordinary.c, which measure it, tcp_opening.c, which keeps those of a handshake
// until that is worth it, and payload.c, which reads what is next.
#pragma once

#include "flow/tcp.h"

// One segment with what it means in sequence space.
struct segment {
    const struct packet_tcp *tcp;
    uint32_t begin, end; // SYN and FIN take a number each
    uint32_t data;       // bytes of payload
    int64_t sent_ns;     // the packet's own stamp
    uint32_t at;         // the same in steps
    uint16_t frame;      // tcp_frame_of(); 0 = not known
    uint8_t client;      // direction of who opened the connection
    bool at_once;        // behind the flow's packet before it: within a millisecond
    bool twice;          // the frame was captured before
    bool likely_twice;   // or that may be so
};

enum {
    TCP_FARTHEST = 1 << 30, // no window reaches that far
    TCP_WINDOW_BYTES = 65535,
};

static inline bool before(uint32_t left, uint32_t right)
{
    return (int32_t)(left - right) < 0;
}

static inline uint32_t least(uint32_t left, uint32_t right)
{
    return before(left, right) ? left : right;
}

static inline uint32_t greatest(uint32_t left, uint32_t right)
{
    return before(left, right) ? right : left;
}

static inline uint32_t step_of(int64_t time_ns)
{
    return (uint32_t)(time_ns / TCP_STEP_NS);
}

static inline struct segment segment_of(const struct packet_tcp *tcp, uint32_t data, int64_t sent_ns)
{
    uint32_t numbers = data + ((tcp->flags & TCP_SYN) != 0) + ((tcp->flags & TCP_FIN) != 0);
    return (struct segment){
        .tcp = tcp,
        .begin = tcp->sequence,
        .end = tcp->sequence + numbers,
        .data = data,
        .sent_ns = sent_ns,
        .at = step_of(sent_ns),
    };
}

// The stream reaches a new highest sequence number.
static inline void tcp_advance(struct tcp_side *side, uint32_t to, uint32_t at)
{
    side->wraps =
        (uint8_t)(side->wraps + (to - side->first_sequence < side->next_sequence - side->first_sequence));
    side->next_sequence = to;
    side->advanced_at = at;
}

// Updates the quality part. `store` gives further parts; NULL where the segment asks for none.
void tcp_measure_segment(struct flow_store *store, struct tcp_quality *quality, int direction,
                         const struct segment *segment, const struct flow_policy *policy);

// The same for a packet in which nothing is out of the ordinary, as most are, at a fraction of the cost (tcp_ordinary.c).
// False: it is none, and nothing was done.
bool tcp_measure_ordinary(const struct flow_store *store, struct tcp_quality *quality, int direction,
                          const struct packet *packet, const struct flow_policy *policy);

// What knows a frame again that is captured twice, of its IP id, numbers, length, flags and window. Never 0.
static inline uint16_t tcp_frame_of(const struct packet_tcp *tcp, uint32_t data)
{
    uint64_t digest = ((uint64_t)tcp->sequence << 32 | tcp->acknowledgement) * UINT64_C(0x9e3779b97f4a7c15);
    digest ^= ((uint64_t)data << 40) ^ ((uint64_t)tcp->ip_id << 24 | (uint64_t)tcp->window << 8 | tcp->flags);
    digest *= UINT64_C(0xd6e8feb86659fd93);
    uint16_t frame = (uint16_t)(digest >> 48);
    return frame != 0 ? frame : 1;
}
// Of a side with trouble, in a frame with an IP id: whether it is none of the frames that it remembers; it is one of them
// from now on.
bool tcp_frame_is_new(struct tcp_trouble *trouble, uint16_t frame);
// Whether the side has just sent this very frame; remembers it.
enum tcp_sighting { FRAME_NEW, FRAME_TWICE, FRAME_LIKELY_TWICE };
enum tcp_sighting tcp_frame_sighting(const struct flow_store *store, struct tcp_quality *quality,
                                     int direction, const struct segment *segment);

// Round trips (tcp_rtt.c): from data of the side, up to `end`, to the ACK of its peer that settles it; `at` in steps.
void tcp_rtt_await(struct tcp_side *side, uint32_t end, uint32_t at);
static inline bool tcp_rtt_is_settled(const struct tcp_side *side, uint32_t ack)
{
    return (side->seen & TCP_SIDE_PENDING) != 0 && !before(ack, side->pending_end);
}
void tcp_rtt_settle(struct tcp_side *side, uint32_t at);
void tcp_rtt_forget_from(struct tcp_side *side, uint32_t begin);
void tcp_rtt_measure_handshake(struct tcp_quality *quality, const struct segment *segment);

// Holes (tcp_holes.c).
void tcp_hole_open(struct flow_store *store, struct tcp_side *side, uint32_t begin, uint32_t end);
void tcp_holes_fill(struct tcp_trouble *trouble, const struct segment *segment);
// Whether an ACK reaches into a hole or beyond the side's data, which the one before it did not.
bool tcp_holes_are_passed(const struct flow_store *store, const struct tcp_side *side, uint32_t before_ack,
                          uint32_t ack);

// States and history (tcp_history.c), before the numbers of the segment are taken in.
void tcp_sides_note(struct flow_store *store, struct tcp_quality *quality, int direction,
                    const struct segment *segment);
// Whether the connection ended so long ago that Zeek has forgotten it. To be asked of every packet behind the end, as steps
// come around.
bool tcp_history_is_over(struct tcp_quality *quality, uint32_t at);
void tcp_history_rest(struct tcp_quality *quality);
void tcp_history_note_gap(struct flow_store *store, struct tcp_quality *quality, int direction);
