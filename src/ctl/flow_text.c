#include "ctl/flow_text.h"

#include <string.h>

#include "base/text_table.h"
#include "base/time.h"
#include "base/units.h"
#include "ctl/complaint.h"
#include "ctl/output.h"
#include "netscope/v1/flow.pb-c.h"

typedef Netscope__V1__Flow Flow;
typedef Netscope__V1__Endpoint Endpoint;

const struct table_column flow_columns[] = {
    {"NODE", false, CUT_MIDDLE},    {"CLIENT -> SERVER", false, CUT_SERVER},
    {"PROTOCOL", false, CUT_NEVER}, {"NAME", false, CUT_NAME},
    {"STATE", false, CUT_NEVER},    {"PACKETS", true, CUT_NEVER},
    {"BYTES", true, CUT_NEVER},     {"RATE", true, CUT_NEVER},
    {"LASTED", true, CUT_NEVER},    {"LAST SEEN", true, CUT_NEVER},
    {"QUALITY", false, CUT_NEVER},  {"INTERFACE, IDS", false, CUT_NEVER},
    {NULL, false, CUT_NEVER},
};

int64_t time_of(const struct Google__Protobuf__Timestamp *stamp)
{
    int64_t time_ns;
    if (stamp == NULL || __builtin_mul_overflow(stamp->seconds, NS_PER_S, &time_ns) ||
        __builtin_add_overflow(time_ns, (int64_t)stamp->nanos, &time_ns))
        return 0;
    return time_ns;
}

static bool is_portless(const Flow *flow)
{
    return strcmp(flow->protocol, "tcp") != 0 && strcmp(flow->protocol, "udp") != 0 &&
           strcmp(flow->protocol, "sctp") != 0;
}

static void add_end(struct strbuf *into, const Flow *flow, const Endpoint *end)
{
    if (end == NULL) {
        strbuf_add_char(into, '?');
        return;
    }
    bool named = end->name_value_case == NETSCOPE__V1__ENDPOINT__NAME_VALUE_NAME && end->name[0] != '\0';
    bool brackets = !named && strchr(end->ip, ':') != NULL && !is_portless(flow);
    if (named && end->namespace_value_case == NETSCOPE__V1__ENDPOINT__NAMESPACE_VALUE_NAMESPACE) {
        add_shown(into, end->namespace_);
        strbuf_add_char(into, '/');
    }
    strbuf_add(into, brackets ? "[" : "");
    add_shown(into, named ? end->name : end->ip);
    strbuf_add(into, brackets ? "]" : "");
    if (!is_portless(flow))
        strbuf_addf(into, ":%u", end->port);
}

static void add_ends(struct strbuf *into, const Flow *flow)
{
    bool turned = flow->client == NETSCOPE__V1__CLIENT__CLIENT_B_TO_A;
    bool known = turned || flow->client == NETSCOPE__V1__CLIENT__CLIENT_A_TO_B;
    add_end(into, flow, turned ? flow->endpoint_b : flow->endpoint_a);
    strbuf_add(into, known ? " -> " : " -- ");
    add_end(into, flow, turned ? flow->endpoint_a : flow->endpoint_b);
}

static bool has_app(const Flow *flow)
{
    return flow->app_value_case == NETSCOPE__V1__FLOW__APP_VALUE_APP;
}

static void add_protocol(struct strbuf *into, const Flow *flow)
{
    add_shown(into, flow->protocol);
    if (!has_app(flow))
        return;
    strbuf_add_char(into, '/');
    add_shown(into, flow->app);
}

// The TLS server's, or the question of DNS.
static void add_name(struct strbuf *into, const Flow *flow)
{
    if (flow->sni_value_case == NETSCOPE__V1__FLOW__SNI_VALUE_SNI)
        add_shown(into, flow->sni);
    else if (flow->dns_query_value_case == NETSCOPE__V1__FLOW__DNS_QUERY_VALUE_DNS_QUERY)
        add_shown(into, flow->dns_query);
}

static const char *state_name(const Flow *flow)
{
    static const char *const names[] = {"",         "unknown", "syn sent", "syn ack", "established",
                                        "fin wait", "closed",  "reset"};
    return (unsigned)flow->tcp_state < sizeof names / sizeof names[0] ? names[flow->tcp_state] : "?";
}

static void add_rate(struct strbuf *into, const Flow *flow)
{
    if (flow->avg_bps_value_case == NETSCOPE__V1__FLOW__AVG_BPS_VALUE_AVG_BPS)
        units_add_bit_rate(into, flow->avg_bps);
}

static void add_last_seen(struct strbuf *into, const Flow *flow, int64_t now_ns)
{
    int64_t last_ns = time_of(flow->last_seen);
    double ago = now_ns > 0 && last_ns > 0 ? time_seconds_between(last_ns, now_ns) : -1;
    if (ago < 0)
        return;
    if (ago < 1)
        strbuf_add(into, "now");
    else
        units_add_narrow_span(into, ago);
}

static void add_quality(struct strbuf *into, const Flow *flow)
{
    const char *separator = "";
    if (flow->rtt_ewma_ms_value_case == NETSCOPE__V1__FLOW__RTT_EWMA_MS_VALUE_RTT_EWMA_MS) {
        strbuf_add(into, "RTT ");
        units_add_span(into, flow->rtt_ewma_ms / 1000);
        separator = ", ";
    }
    if (flow->retransmissions_value_case == NETSCOPE__V1__FLOW__RETRANSMISSIONS_VALUE_RETRANSMISSIONS &&
        flow->retransmissions > 0) {
        strbuf_add(into, separator);
        units_add_count(into, flow->retransmissions);
        strbuf_add(into, " sent again");
    }
}

static void add_identity(struct strbuf *into, const Flow *flow)
{
    add_shown(into, flow->interface);
    if (flow->community_id_value_case == NETSCOPE__V1__FLOW__COMMUNITY_ID_VALUE_COMMUNITY_ID) {
        strbuf_add_char(into, ' ');
        add_shown(into, flow->community_id);
    }
    strbuf_add_char(into, ' ');
    add_shown(into, flow->id);
}

void flow_text_add_row(struct text_table *table, const struct Netscope__V1__Flow *flow,
                       const struct flow_row *how)
{
    add_shown(table_cell(table), how->with_node ? flow->node : "");
    add_ends(table_cell(table), flow);
    add_protocol(table_cell(table), flow);
    add_name(table_cell(table), flow);
    strbuf_add(table_cell(table), state_name(flow));
    units_add_count(table_cell(table), flow->packets_total);
    units_add_bytes(table_cell(table), flow->bytes_total);
    add_rate(table_cell(table), flow);
    units_add_narrow_span(table_cell(table), flow->duration_secs);
    add_last_seen(table_cell(table), flow, how->now_ns);
    struct strbuf *cell = table_cell(table);
    if (how->wide)
        add_quality(cell, flow);
    cell = table_cell(table);
    if (how->wide)
        add_identity(cell, flow);
}

void flow_text_add_line(struct output *output, const struct Netscope__V1__Flow *flow, const char *kind,
                        const char *node)
{
    struct strbuf *line = &output->text;
    bool wrong = flow->tcp_state == NETSCOPE__V1__TCP_STATE__TCP_STATE_RESET;
    time_add_rfc3339(line, time_of(flow->last_seen), 3);
    strbuf_addf(line, " %-7s ", kind);
    if (node[0] != '\0') {
        add_shown(line, node);
        strbuf_add_char(line, ' ');
    }
    add_protocol(line, flow);
    strbuf_add_char(line, ' ');
    output_begin_colour(output, COLOUR_BOLD);
    add_ends(line, flow);
    output_end_colour(output, COLOUR_BOLD);
    strbuf_add_char(line, ' ');
    size_t before = line->length;
    add_name(line, flow);
    strbuf_add(line, line->length > before ? ", " : "");
    units_add_count(line, flow->packets_total);
    strbuf_add(line, flow->packets_total == 1 ? " packet, " : " packets, ");
    units_add_bytes(line, flow->bytes_total);
    strbuf_add(line, ", ");
    units_add_span(line, flow->duration_secs);
    if (state_name(flow)[0] != '\0') {
        strbuf_add(line, ", ");
        output_begin_colour(output, wrong ? COLOUR_RED : COLOUR_NONE);
        strbuf_add(line, state_name(flow));
        output_end_colour(output, wrong ? COLOUR_RED : COLOUR_NONE);
    }
    if (output->format == OUTPUT_WIDE) {
        strbuf_add(line, ", ");
        before = line->length;
        add_quality(line, flow);
        strbuf_add(line, line->length > before ? ", " : "");
        add_identity(line, flow);
    }
    strbuf_add_char(line, '\n');
}
