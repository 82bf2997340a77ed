#include "app/report_text.h"

#include <string.h>

#include "app/report_text_parts.h"
#include "base/text_table.h"
#include "base/time.h"
#include "base/units.h"
#include "net/protocol.h"

enum { LIST_INDENT = 14, INPUTS_NAMED = 3, PROTOCOLS_SHOWN = 6 };
static const double least_rate = 0.05; // packets a second; below it a rate says nothing

static void add_wire(struct strbuf *into, const char *text)
{
    strbuf_add_wire(into, text, strlen(text));
}

static void add_inputs(struct strbuf *into, const struct report_context *context)
{
    for (unsigned i = 0; i < context->input_count && i < INPUTS_NAMED; i++) {
        strbuf_add(into, i > 0 ? ", " : " ");
        add_wire(into, context->inputs[i]);
    }
    if (context->input_count > INPUTS_NAMED)
        strbuf_addf(into, " and %u more", context->input_count - INPUTS_NAMED);
}

static void add_title(struct strbuf *into, const struct report_context *context)
{
    strbuf_add(into, "NetScope");
    if (context->version != NULL)
        strbuf_addf(into, " %s", context->version);
    strbuf_add(into, " report of");
    add_inputs(into, context);
    if (context->live && context->node != NULL) {
        strbuf_add(into, " on ");
        add_wire(into, context->node);
    }
    if (context->filter != NULL && context->filter[0] != '\0') {
        strbuf_add(into, ", filter ");
        add_wire(into, context->filter);
    }
    strbuf_add_char(into, '\n');
}

static void add_link_types(struct strbuf *into, const struct report_summary *summary)
{
    for (unsigned i = 0; i < summary->link_type_count; i++) {
        const struct report_link_type *type = &summary->link_types[i];
        strbuf_add(into, i > 0 ? ", " : summary->link_type_count == 1 ? "; link type " : "; link types ");
        if (type->name != NULL)
            strbuf_add(into, type->name);
        else
            strbuf_addf(into, "%u (not decoded)", type->number);
    }
}

// "2024-05-01 12:00:00.123 to 12:03:12.456 UTC"; the second date only when it is another one.
static void add_period(struct strbuf *into, const struct report_span *span)
{
    enum { DATE_BYTES = 10, DIGITS = 3 };
    struct strbuf ends[2];
    for (unsigned end = 0; end < 2; end++) {
        strbuf_init(&ends[end], 64);
        time_add_rfc3339(&ends[end], end == 0 ? span->first_ns : span->last_ns, DIGITS);
    }
    strbuf_addf(into, "  %.10s %.12s to ", ends[0].text, ends[0].text + DATE_BYTES + 1);
    if (strncmp(ends[0].text, ends[1].text, DATE_BYTES) != 0)
        strbuf_addf(into, "%.10s ", ends[1].text);
    strbuf_addf(into, "%.12s UTC\n", ends[1].text + DATE_BYTES + 1);
    for (unsigned end = 0; end < 2; end++)
        strbuf_done(&ends[end]);
}

static void add_span(struct strbuf *into, const struct report_summary *summary)
{
    const struct report_span *span = &summary->span;
    strbuf_add(into, "  ");
    units_add_count(into, span->packets);
    strbuf_add(into, span->packets == 1 ? " packet, " : " packets, ");
    units_add_bytes(into, span->bytes);
    if (span->bits_per_sec >= 0) {
        strbuf_add(into, " in ");
        units_add_span(into, span->duration_secs);
    }
    if (span->packets_per_sec >= least_rate) {
        strbuf_add(into, ": ");
        units_add_bit_rate(into, span->bits_per_sec);
        strbuf_add(into, ", ");
        if (span->packets_per_sec < 10)
            strbuf_addf(into, "%.1f", span->packets_per_sec);
        else
            units_add_count(into, (uint64_t)(span->packets_per_sec + 0.5));
        strbuf_add(into, " packets/s");
    }
    add_link_types(into, summary);
    strbuf_add_char(into, '\n');
    if (span->packets > 0)
        add_period(into, span);
}

static void add_ledger(struct strbuf *into, const struct report_ledger *ledger)
{
    strbuf_add(into, "  ");
    units_add_count(into, ledger->received);
    strbuf_add(into, " received = ");
    units_add_count(into, ledger->analysed);
    strbuf_add(into, " analysed + ");
    units_add_count(into, ledger->duplicate);
    strbuf_add(into, " duplicate + ");
    units_add_count(into, ledger->lost);
    strbuf_add(into, " lost");
    for (unsigned i = 0; i < ledger->lost_count; i++) {
        const struct report_lost *lost = &ledger->lost_by[i];
        strbuf_add(into, i == 0 ? " (" : ", ");
        add_wire(into, lost->interface);
        strbuf_addf(into, "%s%s %s: ", lost->interface[0] != '\0' ? " " : "", lost->stage, lost->reason);
        units_add_count(into, lost->packets);
    }
    strbuf_add(into, ledger->lost_count > 0 ? ")\n" : "\n");
}

static void add_interfaces(struct strbuf *into, const struct report_summary *summary)
{
    if (summary->interface_count < 2)
        return;
    struct text_list list;
    list_begin(&list, into, "  interfaces", LIST_INDENT, 2);
    for (unsigned i = 0; i < summary->interface_count; i++) {
        const struct report_interface *interface = &summary->interfaces[i];
        struct strbuf *item = list_item(&list);
        add_wire(item, interface->name);
        strbuf_add_char(item, ' ');
        units_add_count(item, interface->packets);
    }
    list.hidden += summary->interfaces_left_out;
    list_end(&list);
}

static void add_findings(struct strbuf *into, const struct report_summary *summary)
{
    if (summary->span.packets == 0 && summary->warnings.count == 0)
        return;
    strbuf_add_char(into, '\n');
    for (unsigned i = 0; i < summary->warnings.count; i++)
        text_add_sentence(into, "! ", summary->warnings.text[i]);
    for (unsigned i = 0; i < summary->headlines.count; i++)
        text_add_sentence(into, "* ", summary->headlines.text[i]);
    if (summary->warnings.count + summary->headlines.count == 0)
        strbuf_add(into, "Nothing stands out: no loss, no failed connection, no DNS failure.\n");
}

static void add_protocol_row(struct text_table *table, const struct report_protocol *row)
{
    strbuf_add(table_cell(table), row->name);
    units_add_count(table_cell(table), row->packets);
    units_add_percent(table_cell(table), row->packet_share);
    units_add_bytes(table_cell(table), row->bytes);
    units_add_percent(table_cell(table), row->byte_share);
    struct strbuf *flows = table_cell(table);
    if (row->flows > 0)
        units_add_count(flows, row->flows);
}

static void add_rest_of_protocols(struct text_table *table, const struct report_summary *summary)
{
    struct report_protocol rest = {.name = "others"};
    for (unsigned i = PROTOCOLS_SHOWN; i < summary->protocol_count; i++) {
        rest.packets += summary->protocols[i].packets;
        rest.packet_share += summary->protocols[i].packet_share;
        rest.bytes += summary->protocols[i].bytes;
        rest.byte_share += summary->protocols[i].byte_share;
        rest.flows += summary->protocols[i].flows;
    }
    if (rest.packets > 0)
        add_protocol_row(table, &rest);
}

static void add_protocols(struct strbuf *into, const struct report_summary *summary)
{
    static const struct table_column columns[] = {
        {"Protocol", .right = false},
        {"packets", .right = true},
        {"share", .right = true},
        {"bytes", .right = true},
        {"share", .right = true},
        {"flows", .right = true},
        {.title = NULL},
    };
    if (summary->protocol_count == 0)
        return;
    struct text_table table;
    table_init(&table, columns);
    for (unsigned i = 0; i < summary->protocol_count && i < PROTOCOLS_SHOWN; i++)
        add_protocol_row(&table, &summary->protocols[i]);
    add_rest_of_protocols(&table, summary);
    strbuf_add_char(into, '\n');
    table_add(into, &table);
    table_done(&table);
}

static void add_services(struct strbuf *into, const struct report_summary *summary)
{
    if (summary->service_count == 0)
        return;
    struct text_list list;
    list_begin(&list, into, "  services", LIST_INDENT, 1);
    for (unsigned i = 0; i < summary->service_count; i++) {
        const struct report_service *service = &summary->services[i];
        char name[16];
        struct strbuf *item = list_item(&list);
        strbuf_addf(item, "%s/%u ", ip_protocol_text(service->protocol, name), service->port);
        units_add_bytes(item, service->bytes);
    }
    list_end(&list);
}

static void add_counted(struct text_list *list, uint64_t count, const char *what)
{
    if (count == 0)
        return;
    struct strbuf *item = list_item(list);
    units_add_count(item, count);
    strbuf_addf(item, " %s", what);
}

// Applications and encapsulations, when there are any.
static void add_contents(struct strbuf *into, const struct report_summary *summary)
{
    uint64_t marked = summary->tunnelled + summary->vlan_packets + summary->fragments;
    if (summary->application_count == 0 && marked == 0)
        return;
    struct text_list list;
    list_begin(&list, into, "  inside", LIST_INDENT, 2);
    for (unsigned i = 0; i < summary->application_count; i++) {
        const struct report_application *application = &summary->applications[i];
        struct strbuf *item = list_item(&list);
        strbuf_addf(item, "%s %s", application->name, application->flows == 1 ? "1 flow " : "");
        if (application->flows != 1) {
            units_add_count(item, application->flows);
            strbuf_add(item, " flows ");
        }
        units_add_bytes(item, application->bytes);
    }
    add_counted(&list, summary->tunnelled, "packets in tunnels");
    add_counted(&list, summary->vlan_packets, "packets with VLAN tags");
    add_counted(&list, summary->fragments, "IP fragments");
    list_end(&list);
}

static void add_unsupported(struct text_list *list, const struct report_unsupported *kind)
{
    struct strbuf *item = list_item(list);
    if (kind->link)
        strbuf_addf(item, "link type %u ", kind->number);
    else if (kind->name != NULL)
        strbuf_addf(item, "EtherType 0x%04x %s ", kind->number, kind->name);
    else
        strbuf_addf(item, "EtherType 0x%04x ", kind->number);
    units_add_count(item, kind->packets);
}

static void add_doubts(struct strbuf *into, const struct report_doubts *doubts)
{
    if (doubts->error_count + doubts->unsupported_count == 0 && doubts->bad_checksums == 0)
        return;
    struct text_list list;
    strbuf_add_char(into, '\n');
    list_begin(&list, into, "Not understood", LIST_INDENT + 2, 3);
    for (unsigned i = 0; i < doubts->unsupported_count; i++)
        add_unsupported(&list, &doubts->unsupported[i]);
    for (unsigned i = 0; i < doubts->error_count; i++) {
        struct strbuf *item = list_item(&list);
        strbuf_addf(item, "%s %s ", doubts->errors[i].layer, doubts->errors[i].reason);
        units_add_count(item, doubts->errors[i].packets);
    }
    if (doubts->bad_checksums > 0) {
        struct strbuf *item = list_item(&list);
        units_add_count(item, doubts->bad_checksums);
        strbuf_add(item, " bad IPv4 checksums (offload makes them; analysed)");
    }
    list_end(&list);
}

void report_text_add(struct strbuf *into, const struct report_summary *summary)
{
    add_title(into, &summary->context);
    add_span(into, summary);
    add_ledger(into, &summary->ledger);
    add_interfaces(into, summary);
    add_findings(into, summary);
    report_add_alerts(into, summary);
    add_protocols(into, summary);
    add_services(into, summary);
    add_contents(into, summary);
    report_add_flows(into, summary);
    report_add_names(into, summary);
    add_doubts(into, &summary->doubts);
}
