// Of netscope.v1.Report: what is said about the capture as a whole.
#include "api/report_message_build.h"
#include "net/protocol.h"
#include "netscope/v1/report.pb-c.h"

typedef Netscope__V1__Report Report;

static size_t build_sentences(struct report_message *message, char ***list,
                              const struct report_sentences *sentences)
{
    size_t count = build_rows(&message->build, list, sentences->count, 1);
    for (size_t i = 0; i < count; i++)
        (*list)[i] = build_text(&message->build, sentences->text[i]);
    return count;
}

static void build_origin(struct report_message *message)
{
    Report *report = message->report;
    const struct report_context *context = &message->summary->context;
    report->version = build_text(&message->build, context->version);
    report->node = build_text(&message->build, context->node);
    report->n_inputs = build_rows(&message->build, &report->inputs, context->input_count, 1);
    for (size_t i = 0; i < report->n_inputs; i++)
        report->inputs[i] = build_text(&message->build, context->inputs[i]);
    if (context->filter != NULL && context->filter[0] != '\0')
        SET_KNOWN(report, , FILTER, filter, build_text(&message->build, context->filter));
    report->truncated = context->truncated != NULL && context->truncated[0] != '\0';
    report->n_warnings = build_sentences(message, &report->warnings, &message->summary->warnings);
    report->n_headlines = build_sentences(message, &report->headlines, &message->summary->headlines);
}

static void build_span(struct report_message *message)
{
    Report *report = message->report;
    const struct report_span *span = &message->summary->span;
    report->packets = span->packets;
    report->bytes = span->bytes;
    report->duration_secs = span->duration_secs;
    if (span->bits_per_sec >= 0) {
        SET_KNOWN(report, , AVG_BPS, avg_bps, span->bits_per_sec);
        SET_KNOWN(report, , AVG_PPS, avg_pps, span->packets_per_sec);
    }
    if (span->packets == 0)
        return;
    report->first_packet = build_time(&message->build, span->first_ns);
    report->last_packet = build_time(&message->build, span->last_ns);
}

static void build_interfaces(struct report_message *message)
{
    Report *report = message->report;
    const struct report_summary *summary = message->summary;
    report->n_interfaces = build_rows(&message->build, &report->interfaces, summary->interface_count,
                                      sizeof **report->interfaces);
    for (size_t i = 0; i < report->n_interfaces; i++) {
        const struct report_interface *from = &summary->interfaces[i];
        netscope__v1__report__interface__init(report->interfaces[i]);
        report->interfaces[i]->name = build_text(&message->build, from->name);
        report->interfaces[i]->packets = from->packets;
        report->interfaces[i]->bytes = from->bytes;
        report->interfaces[i]->nic_dropped = from->nic_dropped;
    }
}

static void build_link_types(struct report_message *message)
{
    Report *report = message->report;
    const struct report_summary *summary = message->summary;
    report->n_link_types = build_rows(&message->build, &report->link_types, summary->link_type_count,
                                      sizeof **report->link_types);
    for (size_t i = 0; i < report->n_link_types; i++) {
        const struct report_link_type *from = &summary->link_types[i];
        netscope__v1__report__link_type__init(report->link_types[i]);
        report->link_types[i]->number = from->number;
        report->link_types[i]->packets = from->packets;
        if (from->name != NULL)
            SET_KNOWN(report->link_types[i], LINK_TYPE__, NAME, name,
                      build_text(&message->build, from->name));
    }
}

static void build_protocols(struct report_message *message)
{
    Report *report = message->report;
    const struct report_summary *summary = message->summary;
    report->n_protocols =
        build_rows(&message->build, &report->protocols, summary->protocol_count, sizeof **report->protocols);
    for (size_t i = 0; i < report->n_protocols; i++) {
        const struct report_protocol *from = &summary->protocols[i];
        Netscope__V1__Report__Protocol *row = report->protocols[i];
        netscope__v1__report__protocol__init(row);
        row->name = build_text(&message->build, from->name);
        row->packets = from->packets;
        row->packet_share = from->packet_share;
        row->flows = from->flows;
        SET_KNOWN(row, PROTOCOL__, BYTES, bytes, from->bytes);
        SET_KNOWN(row, PROTOCOL__, BYTE_SHARE, byte_share, from->byte_share);
    }
}

static void build_applications(struct report_message *message)
{
    Report *report = message->report;
    const struct report_summary *summary = message->summary;
    report->n_applications = build_rows(&message->build, &report->applications, summary->application_count,
                                        sizeof **report->applications);
    for (size_t i = 0; i < report->n_applications; i++) {
        const struct report_application *from = &summary->applications[i];
        netscope__v1__report__application__init(report->applications[i]);
        report->applications[i]->name = build_text(&message->build, from->name);
        report->applications[i]->flows = from->flows;
        report->applications[i]->packets = from->packets;
        report->applications[i]->bytes = from->bytes;
    }
}

static void build_services(struct report_message *message)
{
    Report *report = message->report;
    const struct report_summary *summary = message->summary;
    report->n_services =
        build_rows(&message->build, &report->services, summary->service_count, sizeof **report->services);
    for (size_t i = 0; i < report->n_services; i++) {
        const struct report_service *from = &summary->services[i];
        char protocol[16];
        netscope__v1__report__service__init(report->services[i]);
        report->services[i]->protocol =
            build_text(&message->build, ip_protocol_text(from->protocol, protocol));
        report->services[i]->port = from->port;
        report->services[i]->flows = from->flows;
        report->services[i]->packets = from->packets;
        report->services[i]->bytes = from->bytes;
    }
}

static void build_decode_errors(struct report_message *message)
{
    Report *report = message->report;
    const struct report_doubts *doubts = &message->summary->doubts;
    report->n_decode_errors = build_rows(&message->build, &report->decode_errors, doubts->error_count,
                                         sizeof **report->decode_errors);
    for (size_t i = 0; i < report->n_decode_errors; i++) {
        netscope__v1__report__decode_error__init(report->decode_errors[i]);
        report->decode_errors[i]->layer = build_text(&message->build, doubts->errors[i].layer);
        report->decode_errors[i]->reason = build_text(&message->build, doubts->errors[i].reason);
        report->decode_errors[i]->packets = doubts->errors[i].packets;
    }
}

static void build_unsupported(struct report_message *message)
{
    Report *report = message->report;
    const struct report_doubts *doubts = &message->summary->doubts;
    report->n_unsupported = build_rows(&message->build, &report->unsupported, doubts->unsupported_count,
                                       sizeof **report->unsupported);
    for (size_t i = 0; i < report->n_unsupported; i++) {
        const struct report_unsupported *from = &doubts->unsupported[i];
        netscope__v1__report__unsupported__init(report->unsupported[i]);
        report->unsupported[i]->kind = build_text(&message->build, from->link ? "link_type" : "ether_type");
        report->unsupported[i]->number = from->number;
        report->unsupported[i]->packets = from->packets;
        if (from->name != NULL)
            SET_KNOWN(report->unsupported[i], UNSUPPORTED__, NAME, name,
                      build_text(&message->build, from->name));
    }
}

static void build_doubts(struct report_message *message)
{
    Report *report = message->report;
    const struct report_summary *summary = message->summary;
    const struct report_overflow *overflow = &summary->overflow;
    build_decode_errors(message);
    build_unsupported(message);
    report->tunnelled_packets = summary->tunnelled;
    report->vlan_packets = summary->vlan_packets;
    report->fragments = summary->fragments;
    report->bad_ipv4_checksums = summary->doubts.bad_checksums;
    report->snapped_packets = summary->doubts.snapped;
    report->clock_steps_back = summary->doubts.clock_steps_back;
    report->second_sightings = summary->doubts.second_sightings;
    report->unread_packets = summary->doubts.unread;
    report->impossible_lengths = summary->doubts.impossible_lengths;

    Netscope__V1__Report__GivenUp *given_up = build_part(&message->build, sizeof *given_up);
    if (given_up == NULL)
        return;
    netscope__v1__report__given_up__init(given_up);
    given_up->hosts = overflow->hosts;
    given_up->services = overflow->services;
    given_up->targets = overflow->targets;
    given_up->dns_names = overflow->dns_names;
    given_up->tls_names = overflow->tls_names;
    given_up->streams = overflow->streams;
    given_up->answers = overflow->answers;
    given_up->datagrams = overflow->datagrams;
    report->given_up = given_up;
}

void build_capture(struct report_message *message)
{
    build_origin(message);
    build_span(message);
    message->report->ledger = build_ledger(&message->build, &message->summary->ledger);
    build_interfaces(message);
    build_link_types(message);
    build_protocols(message);
    build_applications(message);
    build_services(message);
    build_doubts(message);
}
