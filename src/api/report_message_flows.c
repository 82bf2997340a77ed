// Of netscope.v1.Report: hosts, flows, TCP.
#include "api/report_message_build.h"
#include "base/time.h"
#include "net/protocol.h"
#include "netscope/v1/report.pb-c.h"

static void build_hosts(struct report_message *message)
{
    Netscope__V1__Report *report = message->report;
    const struct report_summary *summary = message->summary;
    report->hosts = summary->host_total;
    report->n_talkers =
        build_rows(&message->build, &report->talkers, summary->host_count, sizeof **report->talkers);
    for (size_t i = 0; i < report->n_talkers; i++) {
        const struct report_host *from = &summary->hosts[i];
        Netscope__V1__Report__Host *row = report->talkers[i];
        netscope__v1__report__host__init(row);
        row->ip = build_address(&message->build, &from->address);
        if (from->name != NULL)
            SET_KNOWN(row, HOST__, NAME, name, build_text(&message->build, from->name));
        row->sent_bytes = from->sent_bytes;
        row->received_bytes = from->received_bytes;
        row->packets = from->packets;
        row->flows = from->flows;
    }
}

static void build_targets(struct report_message *message)
{
    Netscope__V1__Report *report = message->report;
    const struct report_summary *summary = message->summary;
    report->n_failed_targets = build_rows(&message->build, &report->failed_targets, summary->target_count,
                                          sizeof **report->failed_targets);
    for (size_t i = 0; i < report->n_failed_targets; i++) {
        const struct report_target *from = &summary->targets[i];
        Netscope__V1__Report__FailedTarget *row = report->failed_targets[i];
        netscope__v1__report__failed_target__init(row);
        row->ip = build_address(&message->build, &from->server.address);
        row->port = from->server.port;
        if (from->name != NULL)
            SET_KNOWN(row, FAILED_TARGET__, NAME, name, build_text(&message->build, from->name));
        row->refused = from->refused;
        row->unanswered = from->unanswered;
    }
}

// The flow itself, as exports have it. It borrows from `row`.
static Netscope__V1__Flow *flow_of(struct report_message *message, const struct report_flow *row)
{
    struct flow_message *flow_message = flow_message_create();
    if (flow_message == NULL) {
        message->build.failed = true;
        return NULL;
    }
    message->flow_messages[message->flow_message_count++] = flow_message;
    return (Netscope__V1__Flow *)(uintptr_t)flow_message_fill(flow_message, &row->event);
}

static size_t build_list(struct report_message *message, Netscope__V1__Report__FlowRow ***list,
                         const struct report_flow_list *from)
{
    size_t count = build_rows(&message->build, list, from->count, sizeof(Netscope__V1__Report__FlowRow));
    for (size_t i = 0; i < count; i++) {
        const struct report_flow *flow = from->rows[i];
        const struct flow_record *record = &flow->event.record;
        Netscope__V1__Report__FlowRow *row = (*list)[i];
        netscope__v1__report__flow_row__init(row);
        row->display_filter = build_text(&message->build, flow->display_filter);
        row->flow = flow_of(message, flow);
        uint64_t packets = report_packets_once(record);
        uint64_t again = report_retransmissions(record);
        if (record->protocol == IP_PROTOCOL_TCP && record->has_quality && !record->no_retransmissions &&
            packets > 0)
            SET_KNOWN(row, FLOW_ROW__, RETRANSMITTED_SHARE, retransmitted_share,
                      (double)again / (double)packets);
        int64_t round_trip_ns = report_round_trip_ns(record);
        if (round_trip_ns >= 0)
            SET_KNOWN(row, FLOW_ROW__, ROUND_TRIP_MS, round_trip_ms, time_ms(round_trip_ns));
    }
    return count;
}

static void build_flow_lists(struct report_message *message)
{
    Netscope__V1__Report *report = message->report;
    const struct report_summary *summary = message->summary;
    size_t rows = summary->top_flows.count + summary->retransmitting_flows.count + summary->slow_flows.count;
    if (build_rows(&message->build, &message->flow_messages, rows, 1) != rows)
        return;
    report->n_top_flows = build_list(message, &report->top_flows, &summary->top_flows);
    report->n_retransmitting_flows =
        build_list(message, &report->retransmitting_flows, &summary->retransmitting_flows);
    report->n_slow_flows = build_list(message, &report->slow_flows, &summary->slow_flows);
}

static void build_tcp(struct report_message *message)
{
    const struct report_tcp *from = &message->summary->tcp;
    Netscope__V1__Report__Tcp *tcp = build_part(&message->build, sizeof *tcp);
    if (tcp == NULL)
        return;
    netscope__v1__report__tcp__init(tcp);
    tcp->flows = from->flows;
    tcp->closed = from->closed;
    tcp->reset = from->reset;
    tcp->open = from->open;
    tcp->midway = from->midway;
    tcp->half_open = from->half_open;
    tcp->refused = from->refused;
    tcp->inconclusive = from->inconclusive;
    tcp->unanswered = from->unanswered;
    tcp->packets = from->packets;
    tcp->retransmissions = from->retransmissions;
    tcp->out_of_order = from->out_of_order;
    tcp->lossy_flows = from->lossy;
    tcp->slow_flows = from->slow;
    tcp->zero_window_flows = from->zero_window;
    tcp->gapped_flows = from->gapped;
    tcp->missed_bytes = from->missed_bytes;
    tcp->duplicate_frames = from->duplicate_frames;
    tcp->one_way_flows = from->one_way;
    message->report->tcp = tcp;
}

static void build_flow_counts(struct report_message *message)
{
    const struct report_summary *summary = message->summary;
    Netscope__V1__Report__Flows *flows = build_part(&message->build, sizeof *flows);
    if (flows == NULL)
        return;
    netscope__v1__report__flows__init(flows);
    flows->created = summary->flows_created;
    flows->active = summary->flows_active;
    flows->n_ended = build_rows(&message->build, &flows->ended, END_REASONS, sizeof **flows->ended);
    for (size_t reason = 0; reason < flows->n_ended; reason++) {
        netscope__v1__report__flows__ended__init(flows->ended[reason]);
        flows->ended[reason]->reason = (Netscope__V1__EndReason)(reason + 1);
        flows->ended[reason]->flows = summary->flows_ended[reason];
    }
    message->report->flows = flows;
}

void build_flows(struct report_message *message)
{
    build_flow_counts(message);
    build_hosts(message);
    build_flow_lists(message);
    build_tcp(message);
    build_targets(message);
}
