#include <string.h>

#include "app/report_text_parts.h"
#include "base/text_table.h"
#include "base/time.h"
#include "base/units.h"
#include "net/protocol.h"

enum { TARGETS_LINES = 2, LIST_INDENT = 14, HOSTS_LEAST = 5, LOSSY_LEAST = 2 };

static void add_host_row(struct text_table *table, const struct report_host *host)
{
    char address[ADDRESS_TEXT_BYTES];
    strbuf_add(table_cell(table), address_format(&host->address, address));
    struct strbuf *name = table_cell(table);
    if (host->name != NULL)
        strbuf_add_wire(name, host->name, strlen(host->name));
    units_add_bytes(table_cell(table), host->sent_bytes);
    units_add_bytes(table_cell(table), host->received_bytes);
    units_add_count(table_cell(table), host->packets);
    units_add_count(table_cell(table), host->flows);
}

static void add_host_total(struct strbuf *title, const struct report_summary *summary, unsigned rows)
{
    strbuf_add(title, rows == 1 ? "Host" : "Top talker");
    if (summary->host_total <= rows)
        return;
    strbuf_add(title, " of ");
    units_add_count(title, summary->host_total);
    strbuf_add(title, summary->overflow.hosts > 0 ? " kept" : "");
}

// Half as many rows as the flows have, but a few at least: a talker stands in several flows.
static void add_hosts(struct strbuf *into, const struct report_summary *summary)
{
    unsigned count = summary->host_count, half = (count + 1) / 2;
    unsigned rows = count <= HOSTS_LEAST ? count : half > HOSTS_LEAST ? half : HOSTS_LEAST;
    if (rows == 0)
        return;
    struct strbuf title;
    strbuf_init(&title, 64);
    add_host_total(&title, summary, rows);
    const struct table_column columns[] = {
        {title.text, .right = false},
        {"name", .cut = CUT_MIDDLE},
        {"sent", .right = true},
        {"received", .right = true},
        {"packets", .right = true},
        {"flows", .right = true},
        {.title = NULL},
    };
    struct text_table table;
    table_init(&table, columns);
    for (unsigned i = 0; i < rows; i++)
        add_host_row(&table, &summary->hosts[i]);
    strbuf_add_char(into, '\n');
    table_add(into, &table);
    table_done(&table);
    strbuf_done(&title);
}

// What an end is called: its name, else as server the one that the client asked for in TLS; NULL = nothing.
static const char *end_name(const struct report_flow *flow, unsigned side)
{
    const char *name = flow_event_text(&flow->event, EVENT_TEXT_NAME + side);
    if (name[0] == '\0' && side != report_flow_client(flow))
        name = flow_event_text(&flow->event, FLOW_TEXT_SNI);
    return name[0] != '\0' ? name : NULL;
}

// "www.example.com:443", "10.0.0.1:443", "[2001:db8::1]:443"; without ports the name or address alone.
static void add_end(struct strbuf *into, const struct report_flow *flow, unsigned side)
{
    const struct endpoint *endpoint = &flow->event.record.endpoint[side];
    bool ports = ip_protocol_has_ports(flow->event.record.protocol);
    const char *name = end_name(flow, side);
    if (name != NULL) {
        strbuf_add_wire(into, name, strlen(name));
        if (ports)
            strbuf_addf(into, ":%u", endpoint->port);
    } else if (ports) {
        char text[ENDPOINT_TEXT_BYTES];
        strbuf_add(into, endpoint_format(endpoint, text));
    } else {
        address_add(into, &endpoint->address);
    }
}

static void add_ends(struct strbuf *into, const struct report_flow *flow)
{
    unsigned client = report_flow_client(flow);
    add_end(into, flow, client);
    strbuf_add(into, " -> ");
    add_end(into, flow, !client);
}

static double flow_secs(const struct flow_record *record)
{
    double span_ns = (double)record->last_seen_ns - (double)record->first_seen_ns;
    return span_ns > 0 ? span_ns / (double)NS_PER_S : 0;
}

// What is known of a flow in a word or two: application and, where it is not the server's name, SNI or query.
static void add_contents(struct strbuf *into, const struct report_flow *flow)
{
    enum flow_app app = flow->event.record.facts.app;
    if (app != FLOW_APP_NONE)
        strbuf_add(into, flow_app_name(app));
    const char *said = flow_event_text(&flow->event, FLOW_TEXT_SNI);
    if (said[0] == '\0')
        said = flow_event_text(&flow->event, FLOW_TEXT_DNS_QUERY);
    const char *server = end_name(flow, !report_flow_client(flow));
    if (said[0] == '\0' || (server != NULL && strcmp(said, server) == 0))
        return;
    strbuf_add(into, app != FLOW_APP_NONE ? " " : "");
    strbuf_add_wire(into, said, strlen(said));
}

// The states of RFC 9293 that are long, as ss(8) shortens them.
static const char *short_state(enum tcp_state state)
{
    return state == TCP_STATE_ESTABLISHED ? "estab" : state == TCP_STATE_NONE ? "" : tcp_state_name(state);
}

static void add_flow_row(struct text_table *table, const struct report_flow *flow)
{
    const struct flow_record *record = &flow->event.record;
    char protocol[16];
    strbuf_add(table_cell(table), ip_protocol_text(record->protocol, protocol));
    add_ends(table_cell(table), flow);
    units_add_bytes(table_cell(table), record->bytes[0] + record->bytes[1]);
    units_add_count(table_cell(table), record->packets[0] + record->packets[1]);
    units_add_narrow_span(table_cell(table), flow_secs(record));
    strbuf_add(table_cell(table), short_state(record->tcp_state));
    add_contents(table_cell(table), flow);
}

static void add_largest(struct strbuf *into, const struct report_summary *summary)
{
    static const struct table_column columns[] = {
        {"Flow", .right = false},     {"client -> server", .cut = CUT_SERVER},
        {"bytes", .right = true},     {"pkts", .right = true},
        {"time", .right = true},      {"state", .right = false},
        {"content", .cut = CUT_NAME}, {.title = NULL},
    };
    if (summary->top_flows.count == 0)
        return;
    struct text_table table;
    table_init(&table, columns);
    for (unsigned i = 0; i < summary->top_flows.count; i++)
        add_flow_row(&table, summary->top_flows.rows[i]);
    strbuf_add_char(into, '\n');
    table_add(into, &table);
    table_done(&table);
}

static void add_troubled_row(struct text_table *table, const struct report_flow *flow)
{
    const struct flow_record *record = &flow->event.record;
    add_ends(table_cell(table), flow);
    uint64_t again = report_retransmissions(record);
    uint64_t packets = report_packets_once(record);
    struct strbuf *retransmitted = table_cell(table);
    if (again > 0) {
        strbuf_addf(retransmitted, "%lu/%lu ", (unsigned long)again, (unsigned long)packets);
        units_add_percent(retransmitted, (double)again / (double)packets);
    }
    struct strbuf *round_trip = table_cell(table);
    if (report_round_trip_ns(record) >= 0)
        units_add_span(round_trip, (double)report_round_trip_ns(record) / (double)NS_PER_S);
    strbuf_add(table_cell(table), flow->event.community_id);
    strbuf_add(table_note(table), flow->display_filter);
}

static bool is_among(const struct report_flow *flow, const struct report_flow_list *list, unsigned rows)
{
    for (unsigned i = 0; i < rows && i < list->count; i++)
        if (flow_record_compare(&flow->event.record, &list->rows[i]->event.record) == 0)
            return true;
    return false;
}

// What of the two lists is shown: two lines each, hence few of their rows.
struct troubled {
    const struct report_flow_list *lossy, *slow;
    unsigned lossy_rows, slow_rows;
};

static struct troubled choose_troubled(const struct report_summary *summary)
{
    struct troubled troubled = {.lossy = &summary->retransmitting_flows, .slow = &summary->slow_flows};
    unsigned count = troubled.lossy->count, quarter = (count + 3) / 4;
    troubled.lossy_rows = quarter > LOSSY_LEAST ? quarter : count < LOSSY_LEAST ? count : LOSSY_LEAST;
    troubled.slow_rows = (troubled.slow->count + 4) / 5;
    return troubled;
}

static bool is_lossy_row(const struct troubled *troubled, unsigned row)
{
    return row < troubled->lossy_rows ||
           is_among(troubled->lossy->rows[row], troubled->slow, troubled->slow_rows);
}

// By the share of retransmissions as long as there are any, then by round trip; a flow once.
static void add_troubled_rows(struct text_table *table, const struct troubled *troubled)
{
    for (unsigned i = 0; i < troubled->lossy->count; i++)
        if (is_lossy_row(troubled, i))
            add_troubled_row(table, troubled->lossy->rows[i]);
    for (unsigned i = 0; i < troubled->slow_rows; i++)
        if (!is_among(troubled->slow->rows[i], troubled->lossy, troubled->lossy->count))
            add_troubled_row(table, troubled->slow->rows[i]);
}

// "Worst TCP flow (2 of 4 lossy)": how many of those that the headline counts are here.
static void add_troubled_title(struct strbuf *title, const struct troubled *troubled, uint64_t lossy)
{
    uint64_t shown = 0;
    for (unsigned i = 0; i < troubled->lossy->count; i++)
        shown += is_lossy_row(troubled, i) && report_is_lossy(&troubled->lossy->rows[i]->event.record);
    strbuf_add(title, "Worst TCP flow");
    if (shown == lossy)
        return;
    strbuf_add(title, " (");
    units_add_count(title, shown);
    strbuf_add(title, " of ");
    units_add_count(title, lossy);
    strbuf_add(title, " lossy)");
}

static void add_troubled(struct strbuf *into, const struct report_summary *summary)
{
    struct troubled troubled = choose_troubled(summary);
    if (troubled.lossy_rows + troubled.slow_rows == 0)
        return;
    struct strbuf title;
    strbuf_init(&title, 64);
    add_troubled_title(&title, &troubled, summary->tcp.lossy);
    const struct table_column columns[] = {
        {title.text, .cut = CUT_SERVER},
        {"retransmitted", .right = true},
        {"RTT", .right = true},
        {"Community ID", .right = false},
        {.title = NULL},
    };
    struct text_table table;
    table_init(&table, columns);
    add_troubled_rows(&table, &troubled);
    strbuf_add_char(into, '\n');
    table_add(into, &table);
    table_done(&table);
    strbuf_done(&title);
}

static void add_tcp_count(struct text_list *list, uint64_t count, const char *what)
{
    if (count == 0)
        return;
    struct strbuf *item = list_item(list);
    units_add_count(item, count);
    strbuf_addf(item, " %s", what);
}

static void add_tcp(struct strbuf *into, const struct report_tcp *tcp)
{
    if (tcp->flows == 0)
        return;
    struct text_list list;
    strbuf_add_char(into, '\n');
    list_begin(&list, into, "TCP", LIST_INDENT, 2);
    add_tcp_count(&list, tcp->flows, tcp->flows == 1 ? "flow" : "flows");
    add_tcp_count(&list, tcp->closed, "closed");
    add_tcp_count(&list, tcp->reset, "reset");
    add_tcp_count(&list, tcp->open, "open at the end");
    add_tcp_count(&list, tcp->midway, "joined midway");
    add_tcp_count(&list, tcp->half_open, "half open");
    add_tcp_count(&list, tcp->refused, "refused");
    add_tcp_count(&list, tcp->unanswered, "unanswered");
    add_tcp_count(&list, tcp->inconclusive, "evicted too soon to tell");
    add_tcp_count(&list, tcp->retransmissions,
                  tcp->retransmissions == 1 ? "retransmission" : "retransmissions");
    add_tcp_count(&list, tcp->out_of_order, "out of order");
    list_end(&list);
}

static void add_targets(struct strbuf *into, const struct report_summary *summary)
{
    if (summary->target_count == 0)
        return;
    struct text_list list;
    list_begin(&list, into, "  failed to", LIST_INDENT, TARGETS_LINES);
    for (unsigned i = 0; i < summary->target_count; i++) {
        const struct report_target *target = &summary->targets[i];
        char text[ENDPOINT_TEXT_BYTES];
        struct strbuf *item = list_item(&list);
        strbuf_add(item, endpoint_format(&target->server, text));
        if (target->refused > 0)
            strbuf_addf(item, " %lu refused", (unsigned long)target->refused);
        if (target->unanswered > 0)
            strbuf_addf(item, " %lu unanswered", (unsigned long)target->unanswered);
    }
    list_end(&list);
}

void report_add_flows(struct strbuf *into, const struct report_summary *summary)
{
    add_hosts(into, summary);
    add_largest(into, summary);
    add_tcp(into, &summary->tcp);
    add_targets(into, summary);
    add_troubled(into, summary);
}
