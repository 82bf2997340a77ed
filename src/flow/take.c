// Records: what a flow says when it leaves.
#include <string.h>

#include "flow/table.h"
#include "flow/tcp.h"

static void take_key(const struct flow_store *store, const struct flow *flow, struct flow_record *out)
{
    struct flow_key key;
    flow_key_of(store, flow, &key);
    for (int side = 0; side < 2; side++) {
        struct endpoint *endpoint = &out->endpoint[side];
        endpoint->address.version = key.ip_version;
        memcpy(endpoint->address.bytes, key.addresses[side], sizeof endpoint->address.bytes);
        endpoint->port = key.ports[side];
    }
    out->protocol = key.protocol;
}

static void take_trouble(const struct tcp_trouble *trouble, int direction, struct flow_record *out)
{
    out->retransmissions[direction] = trouble->retransmissions;
    out->out_of_order[direction] = trouble->out_of_order;
    out->zero_windows[direction] = trouble->zero_windows;
    out->duplicate_acks[direction] = trouble->duplicate_acks;
    out->duplicate_frames[direction] = trouble->duplicate_frames;
    out->duplicate_retransmissions[direction] = trouble->duplicate_retransmissions;
}

// What may have been captured or sent twice was captured twice where each frame of the flow is there twice, or nearly; at
// most until half of a side's frames are copies.
static void take_likely_duplicates(const uint32_t likely[2], struct flow_record *out)
{
    uint64_t packets = out->packets[0] + out->packets[1];
    uint64_t all = out->duplicate_frames[0] + out->duplicate_frames[1] + likely[0] + likely[1];
    if (5 * all < 2 * packets)
        return;
    for (int direction = 0; direction < 2; direction++) {
        uint64_t most = out->packets[direction] / 2, known = out->duplicate_frames[direction];
        uint64_t copies = known + likely[direction] < most ? known + likely[direction] : most;
        out->duplicate_frames[direction] = copies > known ? copies : known;
    }
}

static struct flow_rtt rtt_of(const struct tcp_rtt *rtt)
{
    return (struct flow_rtt){
        .last_ns = (int64_t)rtt->last * TCP_STEP_NS,
        .min_ns = (int64_t)rtt->least * TCP_STEP_NS,
        .ewma_ns = (int64_t)rtt->ewma * TCP_STEP_NS,
        .samples = rtt->samples,
    };
}

static void take_rtt(const struct tcp_quality *quality, struct flow_record *out)
{
    for (int side = 0; side < 2; side++)
        out->rtt[side] = rtt_of(&quality->side[!side].rtt);
    out->rtt_far = rtt_of(tcp_far_rtt(quality));
    if (quality->handshake == TCP_HANDSHAKE_DONE)
        out->handshake_rtt_ns = quality->handshake_ns;
}

static void take_state(const struct tcp_quality *quality, struct flow_record *out)
{
    out->has_payload = true;
    for (int direction = 0; direction < 2; direction++)
        out->payload_bytes[direction] = tcp_payload_bytes(quality, direction);
    bool carried = out->payload_bytes[0] + out->payload_bytes[1] > 0;
    out->conn_state = (uint8_t)tcp_conn_state(quality, out->client, carried);
    tcp_history_text(quality, out->client, out->history);
}

static void take_quality(const struct flow_table *table, const struct tcp_quality *quality,
                         struct flow_record *out)
{
    uint32_t likely[2] = {0};
    for (int direction = 0; direction < 2; direction++) {
        const struct tcp_trouble *trouble = flow_trouble(&table->store, &quality->side[direction]);
        if (trouble != NULL)
            take_trouble(trouble, direction, out);
        if (trouble != NULL)
            likely[direction] = trouble->likely_duplicates;
        out->bytes_missed[direction] = tcp_bytes_missed(&table->store, quality, direction);
    }
    take_likely_duplicates(likely, out);
    take_state(quality, out);
    if (table->policy.rtt)
        take_rtt(quality, out);
}

static void take_opening(const struct flow_table *table, uint32_t id, struct flow_record *out)
{
    const struct flow *flow = flow_at(&table->store, id);
    const struct flow_extra *extra = flow_extra(&table->store, flow);
    int64_t syn_ns = flow_ends_at(&table->store, id)->first_ns - (extra != NULL ? extra->clock_offset_ns : 0);
    struct tcp_quality quality = {0};
    tcp_measure_opening(flow_opening(&table->store, flow), (flow->marks & FLOW_MARK_CLIENT_B) != 0, syn_ns,
                        &table->policy, &quality);
    take_quality(table, &quality, out);
}

// Of a flow that is one SYN nothing else is kept.
static void take_lone_syn(struct flow_record *out)
{
    out->has_payload = true;
    out->conn_state = CONN_STATE_S0;
    memcpy(out->history, "S", sizeof "S");
}

// A client that was not the first to speak was told by its port: the roles are turned, as Zeek says it.
static void take_datagrams(const struct flow *flow, struct flow_record *out)
{
    bool client = flow->packets[out->client] != 0, server = flow->packets[!out->client] != 0;
    bool turned = flow->client_from == CLIENT_PORT && server;
    if (client)
        out->conn_state = server ? CONN_STATE_SF : CONN_STATE_S0;
    else
        out->conn_state = CONN_STATE_SHR;
    const char *history = client ? (server ? "Dd" : "D") : "d";
    if (turned)
        history = client ? "^dD" : "^d";
    memcpy(out->history, history, strlen(history) + 1);
}

static void take_extra(const struct flow_extra *extra, struct flow_record *out)
{
    out->first_seen_ns -= extra->clock_offset_ns;
    out->last_seen_ns -= extra->clock_offset_ns;
    out->end_ns -= extra->clock_offset_ns;
    out->tunnel = extra->tunnel;
    out->observed = extra->observed;
    memcpy(out->observed_at, extra->observed_at, sizeof out->observed_at);
    out->record_seq = extra->record_seq;
    out->ordinal = extra->ordinal;
    if (extra->names != NULL)
        out->facts = extra->names->facts;
    for (int direction = 0; direction < 2; direction++)
        out->packets[direction] += (uint64_t)extra->packets_above[direction] << 32;
}

static void take_node(const struct flow_table *table, uint32_t id, struct flow_record *out)
{
    const struct flow *flow = flow_at(&table->store, id);
    const struct flow_policy *policy = &table->policy;
    int64_t began_ns = flow_ends_at(&table->store, id)->first_ns;
    memset(out, 0, sizeof *out); // in place: a record is too large to be copied
    out->first_seen_ns = out->began_ns = began_ns;
    out->last_seen_ns = flow->last_ns;
    out->handshake_rtt_ns = -1;
    out->interface = (uint16_t)((flow->owner[0] != 0 ? flow->owner[0] : flow->owner[1]) - 1);
    out->vlan = flow->vlan;
    out->has_vlan = (flow->marks & FLOW_MARK_VLAN) != 0;
    out->has_quality = flow_policy_has_quality(policy);
    out->no_retransmissions = out->has_quality && !policy->retransmissions;
    out->no_out_of_order = out->has_quality && !policy->out_of_order;
    out->tcp_state = flow->tcp_state;
    out->client = (flow->marks & FLOW_MARK_CLIENT_B) != 0;
    out->client_from = flow->client_from;
    out->facts = flow_names_none.facts;
    for (int direction = 0; direction < 2; direction++) {
        out->packets[direction] = flow->packets[direction];
        out->bytes[direction] = flow->bytes[direction];
        out->tcp_flags[direction] = flow->tcp_flags[direction];
    }
    take_key(&table->store, flow, out);
    const struct tcp_quality *quality = flow_quality(&table->store, flow);
    if (quality != NULL)
        take_quality(table, quality, out);
    else if ((flow->marks & FLOW_MARK_OPENING) != 0)
        take_opening(table, id, out);
    else if (flow->protocol == IP_PROTOCOL_TCP && out->has_quality && flow->client_from == CLIENT_SYN)
        take_lone_syn(out);
    else if (flow->protocol == IP_PROTOCOL_UDP)
        take_datagrams(flow, out);
}

void flow_table_peek(const struct flow_table *table, uint32_t id, struct flow_record *out)
{
    const struct flow *flow = flow_at(&table->store, id);
    const struct flow_extra *extra = flow_extra(&table->store, flow);
    take_node(table, id, out);
    out->end_ns = flow->last_ns;
    out->event = FLOW_CHANGED;
    out->reason = END_ACTIVE;
    if (extra == NULL)
        return;
    take_extra(extra, out);
    out->names = extra->names;
}

void flow_table_copy(const struct flow_table *table, uint32_t id, struct flow_record *out)
{
    flow_table_peek(table, id, out);
    if (out->names != NULL)
        out->names = flow_names_copy(out->names);
}

// The last record of a flow; its names move.
static void take_last(struct flow_table *table, uint32_t id, struct flow_record *out)
{
    const struct flow *flow = flow_at(&table->store, id);
    struct flow_extra *extra = flow_extra(&table->store, flow);
    take_node(table, id, out);
    out->end_ns = flow_ends_at(&table->store, id)->end_ns;
    out->final = true;
    out->reason = flow->end_reason;
    if (extra != NULL) {
        take_extra(extra, out);
        out->names = flow_take_names(&table->store, extra);
    }
    flow_store_remove(&table->store, id);
}

static void take_interim(struct flow_table *table, uint32_t id, struct flow_record *out)
{
    struct flow_extra *extra = flow_extra(&table->store, flow_at(&table->store, id));
    flow_table_copy(table, id, out);
    out->end_ns = extra->interim_ns - extra->clock_offset_ns;
    extra->interim_ns = 0;
    extra->record_seq++;
}

static void take_begun(const struct flow_table *table, uint32_t id, struct flow_record *out)
{
    flow_table_copy(table, id, out);
    out->end_ns = out->first_seen_ns;
    out->event = FLOW_BEGAN;
}

bool flow_table_take(struct flow_table *table, struct flow_record *out, int64_t *order_ns)
{
    uint32_t id = ended_list_next(&table->ended, &table->store);
    if (id == 0)
        return false;
    *order_ns = ended_time(&table->store, id);
    if ((id & FLOW_ID_INTERIM) != 0)
        take_interim(table, ended_id(id), out);
    else if ((id & FLOW_ID_BEGUN) != 0)
        take_begun(table, ended_id(id), out);
    else
        take_last(table, id, out);
    return true;
}
