// A TCP segment in sequence space, for tcp_quality.c, which measures it, tcp_opening.c, which keeps those of a handshake
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

// Updates the quality part. `store` gives further parts; NULL where the segment asks for none.
void tcp_measure_segment(struct flow_store *store, struct tcp_quality *quality, int direction,
                         struct segment *segment, const struct flow_policy *policy);

// What knows a frame again that is captured twice, of its IP id, numbers, length, flags and window. Never 0.
uint16_t tcp_frame_of(const struct packet_tcp *tcp, uint32_t data);
// Whether the side has just sent this very frame; remembers it.
enum tcp_sighting { FRAME_NEW, FRAME_TWICE, FRAME_LIKELY_TWICE };
enum tcp_sighting tcp_frame_sighting(const struct flow_store *store, struct tcp_quality *quality,
                                     int direction, const struct segment *segment);

// Round trips (tcp_rtt.c): from a segment of the side to an ACK of its peer.
void tcp_rtt_await(struct tcp_side *side, const struct segment *segment);
void tcp_rtt_settle(struct tcp_side *side, const struct segment *ack);
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
