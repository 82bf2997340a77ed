#include "report/flow_row.h"

#include <stdio.h>
#include <string.h>

#include "net/protocol.h"

int report_flow_compare(const void *left, const void *right)
{
    const struct report_flow *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return flow_record_compare(&a->record, &b->record);
}

static void copy_text(char *into, size_t room, const char *text)
{
    snprintf(into, room, "%s", text != NULL ? text : "");
}

static const char *port_field(uint8_t protocol)
{
    switch (protocol) {
    case IP_PROTOCOL_TCP:
        return "tcp.port";
    case IP_PROTOCOL_UDP:
        return "udp.port";
    case IP_PROTOCOL_SCTP:
        return "sctp.port";
    default:
        return NULL;
    }
}

// "ip.addr==10.0.0.1 && tcp.port==1234 && ip.addr==10.0.0.2 && tcp.port==443". Protocols without ports: by
// addresses and the field of their number.
static void write_filter(const struct flow_record *record, char into[REPORT_FILTER_BYTES])
{
    bool v6 = record->endpoint[0].address.version == 6;
    const char *addresses = v6 ? "ipv6.addr" : "ip.addr", *ports = port_field(record->protocol);
    char first[ADDRESS_TEXT_BYTES], second[ADDRESS_TEXT_BYTES];
    address_format(&record->endpoint[0].address, first);
    address_format(&record->endpoint[1].address, second);
    if (ports != NULL)
        snprintf(into, REPORT_FILTER_BYTES, "%s==%s && %s==%u && %s==%s && %s==%u", addresses, first, ports,
                 record->endpoint[0].port, addresses, second, ports, record->endpoint[1].port);
    else if (ip_protocol_is_icmp(record->protocol))
        snprintf(into, REPORT_FILTER_BYTES, "%s==%s && %s==%s && %s", addresses, first, addresses, second,
                 v6 ? "icmpv6" : "icmp");
    else
        snprintf(into, REPORT_FILTER_BYTES, "%s==%s && %s==%s && %s==%u", addresses, first, addresses, second,
                 v6 ? "ipv6.nxt" : "ip.proto", record->protocol);
}

static void keep_observed(struct report_flow *row, const struct named_flow *flow)
{
    for (unsigned i = 0; i < flow->record->observed && i < OBSERVED_INTERFACES; i++)
        copy_text(row->observed[i], sizeof row->observed[i], flow->observed[i]);
}

void report_flow_fill(struct report_flow *row, uint64_t score, const struct named_flow *flow)
{
    row->score = score;
    row->record = *flow->record;
    row->record.names = NULL;
    row->has_names = flow->record->names != NULL;
    if (row->has_names)
        flow_names_copy_into(flow->record->names, &row->names, row->texts);
    for (unsigned side = 0; side < 2; side++) {
        copy_text(row->name[side], sizeof row->name[side], flow->name[side]);
        copy_text(row->name_space[side], sizeof row->name_space[side], flow->name_space[side]);
        row->name_source[side] = flow->name_source[side];
    }
    row->direction = flow->direction;
    named_flow_identify(flow, row->community_id);
    copy_text(row->interface, sizeof row->interface, flow->interface);
    keep_observed(row, flow);
    write_filter(flow->record, row->display_filter);
}

static const char *text_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

struct named_flow report_flow_named(const struct report_flow *row, const struct report_summary *summary,
                                    struct flow_record *scratch)
{
    *scratch = row->record;
    scratch->names = row->has_names ? (struct flow_names *)(uintptr_t)&row->names : NULL;
    struct named_flow flow = {
        .record = scratch,
        .node = summary->context.node != NULL ? summary->context.node : "",
        .interface = row->interface,
        .name = {text_or_null(row->name[0]), text_or_null(row->name[1])},
        .name_space = {text_or_null(row->name_space[0]), text_or_null(row->name_space[1])},
        .name_source = {row->name_source[0], row->name_source[1]},
        .direction = row->direction,
    };
    memcpy(flow.community_id, row->community_id, sizeof flow.community_id);
    return flow;
}
