#include "report/flow_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/protocol.h"

int report_flow_compare(const void *candidate, const void *row)
{
    const struct report_flow_candidate *a = candidate;
    const struct report_flow *b = row;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return flow_record_compare(&a->event->record, &b->event.record);
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

static size_t text_bytes(const struct flow_event *event)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < EVENT_TEXTS; i++)
        bytes += strlen(flow_event_text(event, i)) + 1;
    return bytes;
}

static bool make_room(struct report_flow *row, size_t bytes)
{
    if (bytes <= row->text_room)
        return true;
    char *wider = realloc(row->texts, bytes);
    if (wider == NULL)
        return false;
    row->texts = wider;
    row->text_room = bytes;
    return true;
}

bool report_flow_fill(struct report_flow *row, const struct report_flow_candidate *candidate)
{
    const struct flow_event *event = candidate->event;
    row->score = candidate->score;
    row->event = *event;
    memset(row->event.text, 0, sizeof row->event.text);
    if (!make_room(row, text_bytes(event)))
        return false;
    char *at = row->texts;
    for (unsigned i = 0; i < EVENT_TEXTS; i++) {
        const char *text = flow_event_text(event, i);
        size_t bytes = strlen(text) + 1;
        row->event.text[i] = memcpy(at, text, bytes);
        at += bytes;
    }
    return true;
}

void report_flow_finish(struct report_flow *row)
{
    flow_event_identify(&row->event);
    write_filter(&row->event.record, row->display_filter);
}

void report_flow_done(struct report_flow *row)
{
    free(row->texts);
    row->texts = NULL;
    row->text_room = 0;
}
