// The beginning of a flow's quality: the segments of a handshake wait until there is something to measure.
#include "flow/tcp_segment.h"

#include <assert.h>

#include "base/time.h"

// Nothing with a header came before.
static bool is_first_segment(const struct flow *flow)
{
    return flow->tcp_state == TCP_STATE_NONE;
}

// Whether the flow so far is one SYN without data: its number is all there is to remember of it, so that a
// flood of them costs no more than their nodes.
static bool is_opening_syn(const struct flow *flow, const struct packet *packet)
{
    return is_first_segment(flow) && flow->client_from == CLIENT_SYN && packet->payload_length == 0 &&
           (packet->tcp.flags & (TCP_FIN | TCP_RST)) == 0;
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
    if (packet->payload_length != 0 || tcp->window == 0 ||
        (tcp->flags & (TCP_ACK | TCP_FIN | TCP_RST)) != TCP_ACK)
        return false;
    if (opening == NULL)
        return (tcp->flags & TCP_SYN) != 0 && flow->client_from == CLIENT_SYN && is_second_packet(flow) &&
               !is_from_client(flow, direction);
    return (tcp->flags & TCP_SYN) == 0 && opening->segments < TCP_OPENING_SEGMENTS &&
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
    assert(opening->segments < TCP_OPENING_SEGMENTS);
    unsigned at = opening->segments++;
    opening->segment[at].sent_ns = packet->time_ns;
    opening->segment[at].sequence = packet->tcp.sequence;
    opening->segment[at].acknowledgement = packet->tcp.acknowledgement;
    opening->segment[at].window = packet->tcp.window;
    opening->segment[at].ip_id = packet->tcp.ip_id;
    opening->segment[at].flags = packet->tcp.flags;
    return true;
}

static void note_sighting(struct segment *segment, enum tcp_sighting sighting)
{
    segment->twice = sighting == FRAME_TWICE;
    segment->likely_twice = sighting == FRAME_LIKELY_TWICE;
}

void tcp_measure_opening(const struct tcp_opening *opening, int client, int64_t syn_ns,
                         const struct flow_policy *policy, struct tcp_quality *quality)
{
    assert(opening->segments <= TCP_OPENING_SEGMENTS && (client == 0 || client == 1));
    struct packet_tcp syn = {.sequence = opening->syn_sequence, .flags = TCP_SYN};
    struct segment segment = segment_of(&syn, 0, syn_ns);
    segment.client = (uint8_t)client;
    tcp_measure_segment(NULL, quality, client, &segment, policy);
    for (unsigned i = 0; i < opening->segments; i++) {
        struct packet_tcp tcp = {
            .sequence = opening->segment[i].sequence,
            .acknowledgement = opening->segment[i].acknowledgement,
            .window = opening->segment[i].window,
            .ip_id = opening->segment[i].ip_id,
            .flags = opening->segment[i].flags,
        };
        segment = segment_of(&tcp, 0, opening->segment[i].sent_ns);
        segment.client = (uint8_t)client;
        segment.frame = tcp_frame_of(&tcp, 0);
        int direction = i == 0 ? !client : client;
        note_sighting(&segment, tcp_frame_sighting(NULL, quality, direction, &segment));
        tcp_measure_segment(NULL, quality, direction, &segment, policy);
    }
}

// The IP id of a lone SYN is not kept, so that this one's own stands for it where it comes too soon for a second try.
static void know_syn_again(struct tcp_quality *quality, int client, int64_t syn_ns,
                           const struct packet *packet)
{
    static const int64_t soon_ns = 200 * NS_PER_MS; // a host waits a second
    bool same = (packet->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
                packet->tcp.sequence == quality->side[client].first_sequence;
    if (same && packet->time_ns - syn_ns < soon_ns)
        quality->side[client].frame = tcp_frame_of(&packet->tcp, packet->payload_length);
}

// Makes the part, and measures in it what waited for it.
static struct tcp_quality *begin_quality(struct flow_store *store, uint32_t id, const struct packet *packet,
                                         const struct flow_policy *policy)
{
    struct flow *flow = flow_at(store, id);
    bool opened = flow->client_from == CLIENT_SYN && !is_first_segment(flow);
    assert((flow->marks & FLOW_MARK_QUALITY) == 0);
    struct tcp_opening opening = {.syn_sequence = flow->quality};
    if ((flow->marks & FLOW_MARK_OPENING) != 0)
        opening = flow_take_opening(store, flow);
    struct tcp_quality *quality = flow_make_quality(store, flow);
    if (quality == NULL || !opened)
        return quality;
    int client = (flow->marks & FLOW_MARK_CLIENT_B) != 0;
    int64_t syn_ns = flow_ends_at(store, id)->first_ns - packet->clock_offset_ns;
    tcp_measure_opening(&opening, client, syn_ns, policy, quality);
    know_syn_again(quality, client, syn_ns, packet);
    return quality;
}

static bool measure_packet(struct flow_store *store, const struct flow *flow, const struct packet *packet,
                           int direction, const struct flow_policy *policy)
{
    struct segment segment = segment_of(&packet->tcp, packet->payload_length, packet->time_ns);
    segment.client = (flow->marks & FLOW_MARK_CLIENT_B) != 0;
    segment.frame = tcp_frame_of(&packet->tcp, packet->payload_length);
    int64_t behind_ns = packet->time_ns + packet->clock_offset_ns - flow->last_ns;
    segment.at_once = behind_ns >= 0 && behind_ns < NS_PER_MS;
    struct tcp_quality *quality = flow_quality(store, flow);
    note_sighting(&segment, tcp_frame_sighting(store, quality, direction, &segment));
    tcp_measure_segment(store, quality, direction, &segment, policy);
    return segment.twice;
}

void tcp_measure_retry(struct flow_store *store, uint32_t id, const struct packet *packet, int direction,
                       const struct flow_policy *policy)
{
    struct flow *flow = flow_at(store, id);
    struct tcp_quality *quality = flow_make_quality(store, flow);
    if (quality == NULL)
        return;
    measure_packet(store, flow, packet, direction, policy);
    struct tcp_trouble *trouble = flow_need_trouble(store, &quality->side[direction]);
    if (trouble != NULL)
        trouble->retransmissions += policy->retransmissions;
}

bool tcp_measure(struct flow_store *store, uint32_t id, const struct packet *packet, int direction,
                 const struct flow_policy *policy)
{
    struct flow *flow = flow_at(store, id);
    struct tcp_quality *quality = flow_quality(store, flow);
    if (quality == NULL) {
        if (is_opening_syn(flow, packet) || wait_in_opening(store, flow, packet, direction))
            return false;
        quality = begin_quality(store, id, packet, policy);
        if (quality == NULL)
            return false;
    }
    if (tcp_measure_ordinary(store, quality, direction, packet, policy))
        return false;
    return measure_packet(store, flow, packet, direction, policy);
}
