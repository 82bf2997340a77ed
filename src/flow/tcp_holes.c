// Holes in a side's stream: sequence numbers that it skipped. They are judged when a record is made, by what the peer
// has acknowledged until then.
#include "flow/tcp_segment.h"

#include <assert.h>

static void drop_hole(struct tcp_trouble *trouble, unsigned i)
{
    assert(i < trouble->holes && trouble->holes <= TCP_HOLES);
    trouble->hole[i] = trouble->hole[--trouble->holes];
}

static uint32_t window_of_bytes(uint32_t bytes)
{
    return bytes < TCP_WINDOW_BYTES ? bytes : TCP_WINDOW_BYTES;
}

static void forget_hole(struct tcp_trouble *trouble, unsigned i)
{
    uint32_t bytes = window_of_bytes(trouble->hole[i].end - trouble->hole[i].begin);
    if (__builtin_add_overflow(trouble->forgotten_bytes, bytes, &trouble->forgotten_bytes))
        trouble->forgotten_bytes = UINT32_MAX;
    drop_hole(trouble, i);
}

// A place for one more hole; with all taken the lowest is forgotten (its bytes stay missed).
static struct tcp_hole *hole_place(struct tcp_trouble *trouble)
{
    if (trouble->holes == TCP_HOLES) {
        unsigned lowest = 0;
        for (unsigned i = 1; i < TCP_HOLES; i++)
            if (before(trouble->hole[i].begin, trouble->hole[lowest].begin))
                lowest = i;
        forget_hole(trouble, lowest);
    }
    assert(trouble->holes < TCP_HOLES);
    return &trouble->hole[trouble->holes++];
}

void tcp_hole_open(struct flow_store *store, struct tcp_side *side, uint32_t begin, uint32_t end)
{
    assert(before(begin, end));
    struct tcp_trouble *trouble = flow_need_trouble(store, side);
    if (trouble != NULL)
        *hole_place(trouble) = (struct tcp_hole){.begin = begin, .end = end};
}

// Takes the segment's part out of one hole.
static void fill_hole(struct tcp_trouble *trouble, unsigned i, const struct segment *segment)
{
    assert(i < trouble->holes);
    struct tcp_hole *hole = &trouble->hole[i];
    uint32_t begin = greatest(hole->begin, segment->begin);
    uint32_t end = least(hole->end, segment->end);
    if (!before(begin, end))
        return;
    uint32_t behind = hole->end;
    if (begin == hole->begin) {
        hole->begin = end;
    } else {
        hole->end = begin;
        if (end != behind)
            *hole_place(trouble) = (struct tcp_hole){.begin = end, .end = behind};
    }
}

void tcp_holes_fill(struct tcp_trouble *trouble, const struct segment *segment)
{
    for (unsigned i = trouble->holes; i-- > 0;)
        fill_hole(trouble, i, segment);
    for (unsigned i = trouble->holes; i-- > 0;)
        if (trouble->hole[i].begin == trouble->hole[i].end)
            drop_hole(trouble, i);
}

// What the peer acknowledged of a side's data that was not seen at its end. One number may be a FIN's.
static uint32_t missing_behind(const struct tcp_side *side, const struct tcp_side *peer)
{
    if ((side->seen & TCP_SIDE_SEQUENCE) == 0 || (peer->seen & TCP_SIDE_ACK) == 0)
        return 0;
    uint32_t bytes = peer->last_ack - side->next_sequence;
    return bytes > 1 && bytes < TCP_FARTHEST ? bytes : 0;
}

uint64_t tcp_bytes_missed(const struct flow_store *store, const struct tcp_quality *quality, int direction)
{
    const struct tcp_side *side = &quality->side[direction], *peer = &quality->side[!direction];
    const struct tcp_trouble *trouble = flow_trouble(store, side);
    uint64_t missed = missing_behind(side, peer);
    if (trouble == NULL)
        return missed;
    missed += trouble->forgotten_bytes;
    for (unsigned i = 0; i < trouble->holes; i++) {
        struct tcp_hole hole = trouble->hole[i];
        bool passed = (peer->seen & TCP_SIDE_ACK) != 0 && !before(peer->last_ack, hole.end);
        missed += passed ? hole.end - hole.begin : window_of_bytes(hole.end - hole.begin);
    }
    return missed;
}

bool tcp_holes_are_passed(const struct flow_store *store, const struct tcp_side *side, uint32_t before_ack,
                          uint32_t ack)
{
    if (before(side->next_sequence, ack))
        return !before(side->next_sequence, before_ack) && ack - side->next_sequence > 1;
    const struct tcp_trouble *trouble = flow_trouble(store, side);
    for (unsigned i = 0; trouble != NULL && i < trouble->holes; i++)
        if (before(trouble->hole[i].begin, ack) && !before(trouble->hole[i].begin, before_ack))
            return true;
    return false;
}

// Behind the first number: of all that was sent, and of what the peer acknowledged beyond it. Of a side that was not seen
// nothing is said.
static uint64_t numbers_behind_first(const struct tcp_side *side, const struct tcp_side *peer)
{
    if ((side->seen & TCP_SIDE_SEQUENCE) == 0)
        return 0;
    uint32_t beyond = (peer->seen & TCP_SIDE_ACK) != 0 ? peer->last_ack - side->next_sequence : 0;
    uint64_t numbers = (uint64_t)side->wraps << 32 | (uint32_t)(side->next_sequence - side->first_sequence);
    return numbers + (beyond < TCP_FARTHEST ? beyond : 0);
}

uint64_t tcp_payload_bytes(const struct tcp_quality *quality, int direction)
{
    const struct tcp_side *side = &quality->side[direction], *peer = &quality->side[!direction];
    if (side->state == SIDE_RESET && side->state_before == SIDE_SYN_SENT && peer->state == SIDE_INACTIVE)
        return 0; // nobody was there to send to
    uint64_t bytes = numbers_behind_first(side, peer);
    bytes -= bytes > 0; // the SYN's number
    return bytes - (bytes > 0 && (side->seen & TCP_SIDE_FIN) != 0);
}
