// How far each side of a connection is, and its history: the states and letters that Zeek gives its endpoints, so that
// conn_state and history can be compared. Zeek forgets a connection five seconds after its end (tcp_close_delay): what comes
// later is another one's, and is not part of its history here either. A history has room for 16 letters. Letters of checksums (c) are never given,
// as packets with wrong ones are analysed.
#include "flow/tcp_segment.h"

#include <assert.h>
#include <ctype.h>

// A letter takes four bits; 0 = none. In capitals it is the client's.
static const char letter_of[16] = " shadfrtwgiq";
enum {
    LETTER_S = 1,
    LETTER_H,
    LETTER_A,
    LETTER_D,
    LETTER_F,
    LETTER_R,
    LETTER_T,
    LETTER_W,
    LETTER_G,
    LETTER_I,
    LETTER_Q
};

static void add_letter(struct tcp_quality *quality, int direction, unsigned letter)
{
    if (quality->letters_count == TCP_HISTORY)
        return;
    quality->letters |= (uint64_t)letter << 4 * quality->letters_count;
    quality->letters_sides |= (uint16_t)(direction << quality->letters_count);
    quality->letters_count++;
}

static void add_letter_once(struct tcp_quality *quality, int direction, unsigned letter, uint16_t seen)
{
    struct tcp_side *side = &quality->side[direction];
    if ((side->seen & seen) != 0)
        return;
    side->seen |= seen;
    add_letter(quality, direction, letter);
}

// Of what may happen often only the first, tenth, hundredth... makes a letter.
static void add_letter_scaled(struct tcp_quality *quality, int direction, unsigned letter, uint32_t *count)
{
    uint32_t power = 1;
    ++*count;
    while (power < *count && power <= UINT32_MAX / 10)
        power *= 10;
    if (power == *count)
        add_letter(quality, direction, letter);
}

static void note_reset(struct tcp_quality *quality, int direction, uint32_t sequence)
{
    struct tcp_side *side = &quality->side[direction];
    if ((side->seen & TCP_SIDE_RST) == 0 || quality->last_reset != sequence)
        add_letter(quality, direction, LETTER_R);
    side->seen |= TCP_SIDE_RST;
    quality->last_reset = sequence;
}

static void note_control(struct tcp_quality *quality, int direction, const struct segment *segment)
{
    const struct tcp_side *side = &quality->side[direction];
    uint8_t control = segment->tcp->flags & (TCP_SYN | TCP_FIN | TCP_RST);
    if (control == TCP_SYN) {
        if ((side->seen & TCP_SIDE_SYN) == 0)
            add_letter(quality, direction, (segment->tcp->flags & TCP_ACK) != 0 ? LETTER_H : LETTER_S);
    } else if (control == TCP_FIN) {
        if ((side->seen & TCP_SIDE_FIN) == 0 || segment->end != side->next_sequence)
            add_letter(quality, direction, LETTER_F);
    } else if (control == TCP_RST) {
        note_reset(quality, direction, segment->begin);
    } else if (control == (TCP_FIN | TCP_RST)) {
        add_letter_once(quality, direction, LETTER_I, TCP_SIDE_LETTER_I);
    } else {
        add_letter_once(quality, direction, LETTER_Q, TCP_SIDE_LETTER_Q);
    }
}

static void note_plain(struct tcp_quality *quality, int direction, const struct segment *segment)
{
    if (segment->data > 0)
        add_letter_once(quality, direction, LETTER_D, TCP_SIDE_LETTER_D);
    else if ((segment->tcp->flags & TCP_ACK) != 0)
        add_letter_once(quality, direction, LETTER_A, TCP_SIDE_LETTER_A);
}

static void note_closed_window(struct flow_store *store, struct tcp_quality *quality, int direction)
{
    struct tcp_side *side = &quality->side[direction];
    bool told = quality->side[!direction].state != SIDE_CLOSED && side->state != SIDE_RESET;
    struct tcp_trouble *trouble = told ? flow_need_trouble(store, side) : NULL;
    if (trouble != NULL)
        add_letter_scaled(quality, direction, LETTER_W, &trouble->closed_windows);
}

static void note_repeat(struct flow_store *store, struct tcp_quality *quality, int direction,
                        const struct segment *segment)
{
    struct tcp_side *side = &quality->side[direction];
    uint32_t end = (segment->tcp->flags & TCP_RST) != 0 ? segment->begin : segment->end;
    bool repeats = (side->seen & TCP_SIDE_SEQUENCE) != 0 && side->state != SIDE_RESET &&
                   !before(side->next_sequence, end) && (segment->tcp->flags & TCP_SYN) == 0;
    struct tcp_trouble *trouble = repeats ? flow_need_trouble(store, side) : NULL;
    if (trouble != NULL)
        add_letter_scaled(quality, direction, LETTER_T, &trouble->repeats);
}

static void note_letters(struct flow_store *store, struct tcp_quality *quality, int direction,
                         const struct segment *segment)
{
    uint8_t flags = segment->tcp->flags;
    if ((flags & (TCP_SYN | TCP_FIN | TCP_RST)) != 0)
        note_control(quality, direction, segment);
    else
        note_plain(quality, direction, segment);
    if (segment->tcp->window == 0 && (flags & TCP_RST) == 0 && store != NULL)
        note_closed_window(store, quality, direction);
    if (segment->data > 0)
        note_repeat(store, quality, direction, segment);
}

// Whether a side is in the middle or has come to its end in order.
static bool is_orderly(const struct tcp_side *side)
{
    return side->state == SIDE_ESTABLISHED ||
           (side->state == SIDE_CLOSED && side->state_before == SIDE_ESTABLISHED);
}

void tcp_history_note_gap(struct flow_store *store, struct tcp_quality *quality, int direction)
{
    struct tcp_side *side = &quality->side[direction];
    bool over = (side->seen & quality->side[!direction].seen & TCP_SIDE_ENDED) != 0;
    bool told = !over && is_orderly(side) && is_orderly(&quality->side[!direction]);
    struct tcp_trouble *trouble = told ? flow_need_trouble(store, side) : NULL;
    if (trouble != NULL)
        add_letter_scaled(quality, direction, LETTER_G, &trouble->gaps);
}

void tcp_history_text(const struct tcp_quality *quality, int client, char into[TCP_HISTORY_BYTES])
{
    char *at = into;
    if (quality->letters_count > 0 && (quality->letters_sides & 1) != client)
        *at++ = '^';
    for (unsigned i = 0; i < quality->letters_count; i++) {
        char letter = letter_of[quality->letters >> 4 * i & 0xf];
        bool capital = (quality->letters_sides >> i & 1) == client;
        *at++ = capital ? (char)toupper((unsigned char)letter) : letter;
    }
    *at = '\0';
}

// States.

static void enter(struct tcp_side *side, enum tcp_side_state state)
{
    if (side->state == state)
        return;
    side->state_before = side->state;
    side->state = state & 0xf;
}

// The first SYN of a side.
static void open_side(struct tcp_side *side, struct tcp_side *peer, bool is_client, uint8_t flags)
{
    if (is_client) {
        enter(side, (flags & TCP_ACK) != 0 ? SIDE_SYN_ACK_SENT : SIDE_SYN_SENT);
        return;
    }
    if (peer->state == SIDE_SYN_SENT)
        enter(peer, SIDE_ESTABLISHED);
    enter(side, SIDE_ESTABLISHED);
}

// A side that is first seen without SYN, FIN or RST.
static void join_side(struct tcp_side *side, const struct tcp_side *peer, bool is_client,
                      const struct segment *segment)
{
    bool waits = !is_client && segment->data == 0 && peer->state == SIDE_SYN_SENT;
    bool proven = (segment->tcp->flags & TCP_ACK) != 0 && peer->state == SIDE_ESTABLISHED;
    if (!waits) // some answer a SYN with an ACK before their own SYN
        enter(side, proven ? SIDE_ESTABLISHED : SIDE_PARTIAL);
}

static void begin_side(struct tcp_side *side, struct tcp_side *peer, bool is_client,
                       const struct segment *segment)
{
    uint8_t flags = segment->tcp->flags;
    if ((flags & TCP_SYN) != 0)
        open_side(side, peer, is_client, flags);
    if ((flags & TCP_FIN) != 0)
        enter(side, SIDE_CLOSED);
    if ((flags & TCP_RST) != 0)
        enter(side, SIDE_RESET);
    if (side->state == SIDE_INACTIVE)
        join_side(side, peer, is_client, segment);
}

// A side that is established, or is taken for it.
static void end_side(struct tcp_side *side, struct tcp_side *peer, uint8_t flags)
{
    if ((flags & (TCP_FIN | TCP_RST)) == TCP_FIN) {
        enter(side, SIDE_CLOSED);
        if (peer->state == SIDE_RESET && peer->state_before == SIDE_CLOSED)
            enter(peer, SIDE_CLOSED); // FIN, then RST: in order
    } else if ((flags & TCP_RST) != 0) {
        enter(side, SIDE_RESET);
    }
}

static void end_opening_side(struct tcp_side *side, uint8_t flags)
{
    if ((flags & TCP_FIN) != 0)
        enter(side, SIDE_CLOSED);
    if ((flags & TCP_RST) != 0)
        enter(side, SIDE_RESET);
}

static bool has_closed(const struct tcp_side *side)
{
    return side->state == SIDE_CLOSED || side->state == SIDE_RESET;
}

// Zeek's clock begins anew when the other side closes as well.
static void note_end(struct tcp_quality *quality, int direction, uint32_t at)
{
    struct tcp_side *side = &quality->side[direction], *peer = &quality->side[!direction];
    if (side->state != SIDE_RESET && !has_closed(peer) && peer->state != SIDE_INACTIVE)
        return;
    side->seen |= TCP_SIDE_ENDED;
    side->advanced_at = at;
    peer->seen &= (uint16_t)~TCP_SIDE_ENDED;
}

static void end_history(struct tcp_quality *quality)
{
    quality->side[0].seen |= TCP_SIDE_ENDED;
    quality->side[1].seen |= TCP_SIDE_ENDED;
}

bool tcp_history_is_over(struct tcp_quality *quality, uint32_t at)
{
    static const int32_t remembered_steps = (int32_t)(5 * NS_PER_S / TCP_STEP_NS);
    const struct tcp_side *sides = quality->side;
    bool ended[2] = {(sides[0].seen & TCP_SIDE_ENDED) != 0, (sides[1].seen & TCP_SIDE_ENDED) != 0};
    assert(ended[0] || ended[1]);
    if (ended[0] && ended[1])
        return true;
    bool over = (int32_t)(at - sides[ended[1]].advanced_at) >= remembered_steps;
    if (over)
        end_history(quality);
    return over;
}

void tcp_history_rest(struct tcp_quality *quality)
{
    if (((quality->side[0].seen | quality->side[1].seen) & TCP_SIDE_ENDED) != 0)
        end_history(quality);
}

static void advance_side(struct tcp_quality *quality, int direction, const struct segment *segment)
{
    struct tcp_side *side = &quality->side[direction], *peer = &quality->side[!direction];
    uint8_t flags = segment->tcp->flags;
    switch ((enum tcp_side_state)side->state) {
    case SIDE_INACTIVE:
        begin_side(side, peer, direction == segment->client, segment);
        break;
    case SIDE_SYN_SENT:
    case SIDE_SYN_ACK_SENT:
        end_opening_side(side, flags);
        break;
    case SIDE_PARTIAL:
        if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && peer->state == SIDE_INACTIVE)
            enter(side, SIDE_SYN_SENT);
        end_side(side, peer, flags);
        break;
    case SIDE_ESTABLISHED:
        end_side(side, peer, flags);
        break;
    case SIDE_CLOSED:
        if ((flags & TCP_RST) != 0 && peer->state != SIDE_CLOSED)
            enter(side, SIDE_RESET);
        break;
    case SIDE_RESET:
        break;
    }
}

void tcp_sides_note(struct flow_store *store, struct tcp_quality *quality, int direction,
                    const struct segment *segment)
{
    bool closed = has_closed(&quality->side[direction]);
    note_letters(store, quality, direction, segment);
    advance_side(quality, direction, segment);
    if (!closed && has_closed(&quality->side[direction]))
        note_end(quality, direction, segment->at);
}

static enum conn_state state_after_reset(const struct tcp_side *client, const struct tcp_side *server,
                                         bool carried)
{
    bool client_silent = client->state == SIDE_INACTIVE || client->state == SIDE_PARTIAL;
    bool server_silent = server->state == SIDE_INACTIVE || server->state == SIDE_PARTIAL;
    if (server->state != SIDE_RESET)
        return server_silent ? CONN_STATE_RSTOS0 : CONN_STATE_RSTO;
    bool refused = client->state == SIDE_SYN_SENT || client->state == SIDE_SYN_ACK_SENT ||
                   (client->state == SIDE_RESET && !carried);
    if (refused)
        return CONN_STATE_REJ;
    return client_silent ? CONN_STATE_RSTRH : CONN_STATE_RSTR;
}

enum conn_state tcp_conn_state(const struct tcp_quality *quality, int client_side, bool carried)
{
    const struct tcp_side *client = &quality->side[client_side], *server = &quality->side[!client_side];
    bool client_silent = client->state == SIDE_INACTIVE || client->state == SIDE_PARTIAL;
    bool server_silent = server->state == SIDE_INACTIVE || server->state == SIDE_PARTIAL;
    if (client->state == SIDE_RESET || server->state == SIDE_RESET)
        return state_after_reset(client, server, carried);
    if (client->state == SIDE_CLOSED && server->state == SIDE_CLOSED)
        return CONN_STATE_SF;
    if (client->state == SIDE_CLOSED)
        return server_silent ? CONN_STATE_SH : CONN_STATE_S2;
    if (server->state == SIDE_CLOSED)
        return client_silent ? CONN_STATE_SHR : CONN_STATE_S3;
    if (client->state == SIDE_SYN_SENT && server->state == SIDE_INACTIVE)
        return CONN_STATE_S0;
    bool established = client->state == SIDE_ESTABLISHED && server->state == SIDE_ESTABLISHED;
    return established ? CONN_STATE_S1 : CONN_STATE_OTH;
}
