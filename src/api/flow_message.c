#include "api/flow_message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/text.h"
#include "api/timestamp.h"
#include "base/strbuf.h"
#include "base/time.h"
#include "decode/app/dns.h"
#include "decode/app/tls.h"
#include "netscope/v1/flow.pb-c.h"

enum { LONGEST_TEXT = 4096 };

struct flow_message {
    Netscope__V1__Flow flow;
    Netscope__V1__Endpoint endpoint[2];
    Netscope__V1__Tunnel tunnel;
    Google__Protobuf__Timestamp first_seen, last_seen;
    char *observed[OBSERVED_INTERFACES], *withheld[2];
    char ip[2][ADDRESS_TEXT_BYTES], tunnel_ip[2][ADDRESS_TEXT_BYTES];
    char protocol[16], dns_rcode[12], id[FLOW_ID_TEXT_BYTES], history[TCP_HISTORY_BYTES];
    char tls_version[12], ja3[JA3_TEXT_BYTES], ja4[JA4_TEXT_BYTES];
    struct strbuf text[EVENT_TEXTS]; // for those that need escaping
};

// Where a text of an event goes: the member of struct flow_message and, when it can be unknown, the case of its
// one-member oneof.
struct text_row {
    size_t at, case_at; // case_at 0 = a plain string
    int known;
};

#define PAYLOAD_ROW(NAME, field)                                                                             \
    [FLOW_TEXT_##NAME] = {offsetof(struct flow_message, flow.field),                                         \
                          offsetof(struct flow_message, flow.field##_value_case),                            \
                          NETSCOPE__V1__FLOW__##NAME##_VALUE_##NAME},
#define ENDPOINT_ROW(NAME, field, member, side)                                                              \
    [EVENT_TEXT_##NAME + (side)] = {offsetof(struct flow_message, endpoint[side].member),                    \
                                    offsetof(struct flow_message, endpoint[side].field##_value_case),        \
                                    NETSCOPE__V1__ENDPOINT__##NAME##_VALUE_##NAME}
#define OBSERVED_ROW(index)                                                                                  \
    [EVENT_TEXT_OBSERVED + (index)] = {.at = offsetof(struct flow_message, observed[index])}
static const struct text_row text_rows[EVENT_TEXTS] = {
    FLOW_TEXT_ROWS(PAYLOAD_ROW)
        // clang-format: the rows above end in a comma of their own
        [EVENT_TEXT_NODE] = {.at = offsetof(struct flow_message, flow.node)},
    [EVENT_TEXT_INTERFACE] = {.at = offsetof(struct flow_message, flow.interface)},
    ENDPOINT_ROW(NAME, name, name, 0),
    ENDPOINT_ROW(NAME, name, name, 1),
    ENDPOINT_ROW(NAMESPACE, namespace, namespace_, 0),
    ENDPOINT_ROW(NAMESPACE, namespace, namespace_, 1),
    OBSERVED_ROW(0),
    OBSERVED_ROW(1),
    OBSERVED_ROW(2),
    OBSERVED_ROW(3),
};
static_assert(OBSERVED_INTERFACES == 4, "another place needs its row");
#undef PAYLOAD_ROW
#undef ENDPOINT_ROW
#undef OBSERVED_ROW

#define SAME(ours, message) static_assert((int)(ours) == (int)(NETSCOPE__V1__##message), #ours)
SAME(TCP_STATE_NONE, TCP_STATE__TCP_STATE_UNSPECIFIED);
SAME(TCP_STATE_UNKNOWN, TCP_STATE__TCP_STATE_UNKNOWN);
SAME(TCP_STATE_SYN_SENT, TCP_STATE__TCP_STATE_SYN_SENT);
SAME(TCP_STATE_SYN_ACK, TCP_STATE__TCP_STATE_SYN_ACK);
SAME(TCP_STATE_ESTABLISHED, TCP_STATE__TCP_STATE_ESTABLISHED);
SAME(TCP_STATE_FIN_WAIT, TCP_STATE__TCP_STATE_FIN_WAIT);
SAME(TCP_STATE_CLOSED, TCP_STATE__TCP_STATE_CLOSED);
SAME(TCP_STATE_RESET, TCP_STATE__TCP_STATE_RESET);
SAME(END_TIMEOUT + 1, END_REASON__END_REASON_TIMEOUT);
SAME(END_ACTIVE + 1, END_REASON__END_REASON_ACTIVE);
SAME(END_EVICTION + 1, END_REASON__END_REASON_EVICTION);
SAME(END_CLOSED + 1, END_REASON__END_REASON_CLOSED);
SAME(END_RESET + 1, END_REASON__END_REASON_RESET);
SAME(END_REUSE + 1, END_REASON__END_REASON_REUSE);
SAME(END_RUN + 1, END_REASON__END_REASON_END);
SAME(CLIENT_UNKNOWN, CLIENT_FROM__CLIENT_FROM_UNSPECIFIED);
SAME(CLIENT_SYN, CLIENT_FROM__CLIENT_FROM_SYN);
SAME(CLIENT_SYN_ACK, CLIENT_FROM__CLIENT_FROM_SYN_ACK);
SAME(CLIENT_FIRST_PACKET, CLIENT_FROM__CLIENT_FROM_FIRST_PACKET);
SAME(CLIENT_PORT, CLIENT_FROM__CLIENT_FROM_PORT);
SAME(SNI_UNKNOWN, SNI_STATUS__SNI_STATUS_UNSPECIFIED);
SAME(SNI_COMPLETE, SNI_STATUS__SNI_STATUS_COMPLETE);
SAME(SNI_REASSEMBLED, SNI_STATUS__SNI_STATUS_REASSEMBLED);
SAME(SNI_TRUNCATED, SNI_STATUS__SNI_STATUS_TRUNCATED);
SAME(SNI_GAP, SNI_STATUS__SNI_STATUS_GAP);
SAME(SNI_ABSENT, SNI_STATUS__SNI_STATUS_ABSENT);
SAME(TUNNEL_NONE, TUNNEL_KIND__TUNNEL_KIND_UNSPECIFIED);
SAME(TUNNEL_IPIP, TUNNEL_KIND__TUNNEL_KIND_IPIP);
SAME(TUNNEL_GRE, TUNNEL_KIND__TUNNEL_KIND_GRE);
SAME(TUNNEL_ERSPAN, TUNNEL_KIND__TUNNEL_KIND_ERSPAN);
SAME(TUNNEL_VXLAN, TUNNEL_KIND__TUNNEL_KIND_VXLAN);
SAME(TUNNEL_GENEVE, TUNNEL_KIND__TUNNEL_KIND_GENEVE);
SAME(TUNNEL_GTP_U, TUNNEL_KIND__TUNNEL_KIND_GTP_U);
SAME(TUNNEL_TEREDO, TUNNEL_KIND__TUNNEL_KIND_TEREDO);
static_assert(END_REASONS == 7, "a new end reason needs its row in flow.proto");
static_assert(TUNNEL_KINDS == 8, "a new tunnel kind needs its row in flow.proto");
#undef SAME

// Sets a value that can be unknown: the member and the case of its one-member oneof.
#define SET_KNOWN(flow, FIELD, field, known)                                                                 \
    ((flow)->field##_value_case = NETSCOPE__V1__FLOW__##FIELD##_VALUE_##FIELD, (flow)->field = (known))

struct flow_message *flow_message_create(void)
{
    struct flow_message *message = calloc(1, sizeof *message);
    if (message == NULL)
        return NULL;
    for (unsigned i = 0; i < EVENT_TEXTS; i++)
        strbuf_init(&message->text[i], LONGEST_TEXT);
    return message;
}

void flow_message_destroy(struct flow_message *message)
{
    if (message == NULL)
        return;
    for (unsigned i = 0; i < EVENT_TEXTS; i++)
        strbuf_done(&message->text[i]);
    free(message);
}

const struct ProtobufCMessageDescriptor *flow_message_descriptor(void)
{
    return &netscope__v1__flow__descriptor;
}

// protobuf-c's strings are not const, but nobody writes to a message that is only rendered.
static char *borrowed(const char *text)
{
    return (char *)(uintptr_t)text;
}

// Whether there was anything is not told either. Of one end at most: else nobody would see the flow.
static void withhold_names(struct flow_message *message, unsigned side)
{
    static char paths[2][2][sizeof "endpoint_a.namespace"] = {{"endpoint_a.name", "endpoint_a.namespace"},
                                                              {"endpoint_b.name", "endpoint_b.namespace"}};
    assert(message->flow.n_withheld == 0);
    message->withheld[0] = paths[side][0];
    message->withheld[1] = paths[side][1];
    message->flow.withheld = message->withheld;
    message->flow.n_withheld = 2;
}

static void fill_endpoint(struct flow_message *message, const struct flow_event *event, unsigned side)
{
    const struct endpoint *endpoint = &event->record.endpoint[side];
    Netscope__V1__Endpoint *into = &message->endpoint[side];
    netscope__v1__endpoint__init(into);
    into->ip = address_format(&endpoint->address, message->ip[side]);
    into->port = endpoint->port;
    if (event->name_source[side] != NAME_WITHHELD)
        into->name_source = (Netscope__V1__NameSource)event->name_source[side];
    else
        withhold_names(message, side);
}

static void fill_text(struct flow_message *message, const struct text_row *row, struct strbuf *scratch,
                      const char *text)
{
    char *clean = borrowed(api_text(scratch, text));
    memcpy((char *)message + row->at, &clean, sizeof clean);
    if (row->case_at != 0)
        memcpy((char *)message + row->case_at, &row->known, sizeof row->known);
}

// A plain string is there always, "" when there is none.
static void fill_texts(struct flow_message *message, const struct flow_event *event)
{
    for (unsigned i = 0; i < EVENT_TEXTS; i++) {
        const char *text = flow_event_text(event, i);
        if (i != FLOW_TEXT_OFFER && (text[0] != '\0' || text_rows[i].case_at == 0))
            fill_text(message, &text_rows[i], &message->text[i], text);
    }
    message->flow.observed_at = message->observed;
    message->flow.n_observed_at = event->record.observed;
}

static void fill_span(struct flow_message *message, const struct flow_record *record)
{
    Netscope__V1__Flow *flow = &message->flow;
    timestamp_fill(&message->first_seen, record->first_seen_ns);
    timestamp_fill(&message->last_seen, record->last_seen_ns);
    flow->first_seen = &message->first_seen;
    flow->last_seen = &message->last_seen;
    double seconds = time_seconds_between(record->first_seen_ns, record->last_seen_ns);
    flow->duration_secs = seconds > 0 ? seconds : 0;
}

static void fill_volume(Netscope__V1__Flow *flow, const struct flow_record *record)
{
    flow->packets_a_to_b = record->packets[0];
    flow->packets_b_to_a = record->packets[1];
    flow->bytes_a_to_b = record->bytes[0];
    flow->bytes_b_to_a = record->bytes[1];
    flow->packets_total = record->packets[0] + record->packets[1];
    flow->bytes_total = record->bytes[0] + record->bytes[1];
    if (flow->duration_secs > 0)
        SET_KNOWN(flow, AVG_BPS, avg_bps, (double)flow->bytes_total * 8 / flow->duration_secs);
}

static uint64_t both(const uint64_t counts[2])
{
    return counts[0] + counts[1];
}

static void fill_sides(Netscope__V1__Flow *flow, const struct flow_record *record)
{
    if (!record->no_retransmissions) {
        SET_KNOWN(flow, RETRANSMISSIONS_A_TO_B, retransmissions_a_to_b, record->retransmissions[0]);
        SET_KNOWN(flow, RETRANSMISSIONS_B_TO_A, retransmissions_b_to_a, record->retransmissions[1]);
    }
    if (!record->no_out_of_order) {
        SET_KNOWN(flow, OUT_OF_ORDER_A_TO_B, out_of_order_a_to_b, record->out_of_order[0]);
        SET_KNOWN(flow, OUT_OF_ORDER_B_TO_A, out_of_order_b_to_a, record->out_of_order[1]);
    }
    flow->zero_windows_a_to_b = record->zero_windows[0];
    flow->zero_windows_b_to_a = record->zero_windows[1];
    flow->duplicate_acks_a_to_b = record->duplicate_acks[0];
    flow->duplicate_acks_b_to_a = record->duplicate_acks[1];
    flow->bytes_missed_a_to_b = record->bytes_missed[0];
    flow->bytes_missed_b_to_a = record->bytes_missed[1];
    flow->duplicate_frames_a_to_b = record->duplicate_frames[0];
    flow->duplicate_frames_b_to_a = record->duplicate_frames[1];
}

// The figures of round trips, by the names of their members.
#define SET_ROUND_TRIPS(flow, RTT, rtt, trips)                                                               \
    do {                                                                                                     \
        (flow)->rtt##_samples = (trips)->samples;                                                            \
        if ((trips)->samples == 0)                                                                           \
            break;                                                                                           \
        SET_KNOWN(flow, RTT##_LAST_MS, rtt##_last_ms, time_ms((trips)->last_ns));                            \
        SET_KNOWN(flow, RTT##_MIN_MS, rtt##_min_ms, time_ms((trips)->min_ns));                               \
        SET_KNOWN(flow, RTT##_EWMA_MS, rtt##_ewma_ms, time_ms((trips)->ewma_ns));                            \
    } while (false)

static void fill_state(struct flow_message *message, const struct flow_record *record)
{
    Netscope__V1__Flow *flow = &message->flow;
    if (record->conn_state != CONN_STATE_UNKNOWN)
        SET_KNOWN(flow, CONN_STATE, conn_state, borrowed(conn_state_name(record->conn_state)));
    if (record->history[0] != '\0') {
        memcpy(message->history, record->history, sizeof message->history);
        SET_KNOWN(flow, HISTORY, history, message->history);
    }
    if (record->has_payload) {
        SET_KNOWN(flow, PAYLOAD_BYTES_A_TO_B, payload_bytes_a_to_b, record->payload_bytes[0]);
        SET_KNOWN(flow, PAYLOAD_BYTES_B_TO_A, payload_bytes_b_to_a, record->payload_bytes[1]);
    }
}

static void fill_quality(Netscope__V1__Flow *flow, const struct flow_record *record)
{
    if (!record->no_retransmissions)
        SET_KNOWN(flow, RETRANSMISSIONS, retransmissions, both(record->retransmissions));
    if (!record->no_out_of_order)
        SET_KNOWN(flow, OUT_OF_ORDER, out_of_order, both(record->out_of_order));
    flow->zero_windows = both(record->zero_windows);
    flow->duplicate_acks = both(record->duplicate_acks);
    flow->bytes_missed = both(record->bytes_missed);
    flow->duplicate_frames = both(record->duplicate_frames);
    fill_sides(flow, record);
    SET_ROUND_TRIPS(flow, RTT, rtt, &record->rtt_far);
    SET_ROUND_TRIPS(flow, RTT_CLIENT, rtt_client, &record->rtt[record->client == 1]);
    SET_ROUND_TRIPS(flow, RTT_SERVER, rtt_server, &record->rtt[record->client != 1]);
    if (record->handshake_rtt_ns >= 0)
        SET_KNOWN(flow, HANDSHAKE_RTT_MS, handshake_rtt_ms, time_ms(record->handshake_rtt_ns));
}

static void fill_kind(struct flow_message *message, const struct flow_event *event)
{
    const struct flow_record *record = &event->record;
    Netscope__V1__Flow *flow = &message->flow;
    flow->protocol = borrowed(ip_protocol_text(record->protocol, message->protocol));
    flow->tcp_state = (Netscope__V1__TcpState)record->tcp_state;
    flow->client = (Netscope__V1__Client)(record->client + 1);
    flow->client_from = (Netscope__V1__ClientFrom)record->client_from;
    flow->direction = (Netscope__V1__Direction)event->direction;
    flow->reason = (Netscope__V1__EndReason)(record->reason + 1);
    flow->record_seq = record->record_seq;
    flow->final = record->final;
    flow->tcp_flags_a = record->tcp_flags[0];
    flow->tcp_flags_b = record->tcp_flags[1];
    flow_record_id(record, message->id);
    flow->id = message->id;
    if (event->community_id[0] != '\0')
        SET_KNOWN(flow, COMMUNITY_ID, community_id, borrowed(event->community_id));
    if (record->has_vlan)
        SET_KNOWN(flow, VLAN, vlan, record->vlan);
}

static void fill_tunnel(struct flow_message *message, const struct flow_tunnel *tunnel)
{
    if (tunnel->kind == TUNNEL_NONE)
        return;
    netscope__v1__tunnel__init(&message->tunnel);
    message->tunnel.kind = (Netscope__V1__TunnelKind)tunnel->kind;
    message->tunnel.id = tunnel->id;
    if (tunnel->two_ids) {
        message->tunnel.peer_id_value_case = NETSCOPE__V1__TUNNEL__PEER_ID_VALUE_PEER_ID;
        message->tunnel.peer_id = tunnel->peer_id;
    }
    message->tunnel.source_ip = address_format(&tunnel->source, message->tunnel_ip[0]);
    message->tunnel.target_ip = address_format(&tunnel->target, message->tunnel_ip[1]);
    message->flow.tunnel = &message->tunnel;
}

// Digests are made here and nowhere before: most flows of a busy network are never written.
static void fill_fingerprints(struct flow_message *message, const char *offer)
{
    Netscope__V1__Flow *flow = &message->flow;
    if (offer[0] == '\0')
        return;
    tls_ja3(offer, message->ja3);
    tls_ja4(offer, message->ja4);
    if (message->ja3[0] != '\0')
        SET_KNOWN(flow, JA3, ja3, message->ja3);
    if (message->ja4[0] != '\0')
        SET_KNOWN(flow, JA4, ja4, message->ja4);
}

static void fill_facts(struct flow_message *message, const struct flow_facts *facts)
{
    Netscope__V1__Flow *flow = &message->flow;
    flow->sni_status = (Netscope__V1__SniStatus)facts->sni_status;
    flow->ech_offered = facts->ech_offered;
    if (facts->tls_version != 0)
        SET_KNOWN(flow, TLS_VERSION, tls_version,
                  borrowed(tls_version_name(facts->tls_version, message->tls_version)));
    if (facts->app != FLOW_APP_NONE)
        SET_KNOWN(flow, APP, app, borrowed(flow_app_name(facts->app)));
    if (facts->app == FLOW_APP_DNS && facts->dns_rcode >= 0)
        SET_KNOWN(flow, DNS_RCODE, dns_rcode,
                  borrowed(dns_rcode_name((uint16_t)facts->dns_rcode, message->dns_rcode)));
}

const struct Netscope__V1__Flow *flow_message_fill(struct flow_message *message,
                                                   const struct flow_event *event)
{
    const struct flow_record *record = &event->record;
    assert(record->observed <= OBSERVED_INTERFACES);
    netscope__v1__flow__init(&message->flow);
    for (unsigned side = 0; side < 2; side++)
        fill_endpoint(message, event, side);
    message->flow.endpoint_a = &message->endpoint[0];
    message->flow.endpoint_b = &message->endpoint[1];
    fill_span(message, record);
    fill_volume(&message->flow, record);
    fill_quality(&message->flow, record);
    fill_state(message, record);
    fill_kind(message, event);
    fill_tunnel(message, &record->tunnel);
    fill_facts(message, &record->facts);
    fill_texts(message, event);
    fill_fingerprints(message, flow_event_text(event, FLOW_TEXT_OFFER));
    return &message->flow;
}

struct Netscope__V1__Flow *flow_message_whole(struct flow_message *message)
{
    return &message->flow;
}

#define KEEP_KNOWN(flow, whole, field)                                                                       \
    ((flow)->field##_value_case = (whole)->field##_value_case, (flow)->field = (whole)->field)

struct Netscope__V1__Flow *flow_message_reduce(struct flow_message *message)
{
    const Netscope__V1__Flow whole = message->flow;
    Netscope__V1__Flow *flow = &message->flow;
    netscope__v1__flow__init(flow);
    flow->id = whole.id;
    flow->protocol = whole.protocol;
    flow->endpoint_a = whole.endpoint_a;
    flow->endpoint_b = whole.endpoint_b;
    flow->first_seen = whole.first_seen;
    flow->last_seen = whole.last_seen;
    flow->packets_a_to_b = whole.packets_a_to_b;
    flow->packets_b_to_a = whole.packets_b_to_a;
    flow->bytes_a_to_b = whole.bytes_a_to_b;
    flow->bytes_b_to_a = whole.bytes_b_to_a;
    flow->tcp_state = whole.tcp_state;
    flow->client = whole.client;
    flow->node = whole.node;
    flow->interface = whole.interface;
    KEEP_KNOWN(flow, &whole, app);
    KEEP_KNOWN(flow, &whole, sni);
    flow->withheld = whole.withheld;
    flow->n_withheld = whole.n_withheld;
    return flow;
}
