#include "report/totals.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "decode/decode.h"
#include "decode/describe.h"
#include "net/protocol.h"

static void fill_span(struct report_span *span, const struct totals *totals)
{
    *span = (struct report_span){
        .packets = totals->received,
        .bytes = totals->received_bytes,
        .first_ns = totals->first_packet_ns,
        .last_ns = totals->last_packet_ns,
        .bits_per_sec = -1,
        .packets_per_sec = -1,
    };
    double seconds = time_seconds_between(totals->first_packet_ns, totals->last_packet_ns);
    if (totals->received == 0 || seconds <= 0)
        return;
    span->duration_secs = seconds;
    span->bits_per_sec = (double)totals->received_bytes * 8 / span->duration_secs;
    span->packets_per_sec = (double)totals->received / span->duration_secs;
}

static const char *interface_name(const struct source *source, unsigned index)
{
    if (source == NULL || index >= source_interfaces(source))
        return "";
    return source_interface(source, index)->name;
}

static void add_lost(struct report_ledger *ledger, const char *interface, enum lost_cause cause,
                     uint64_t packets)
{
    if (packets == 0 || ledger->lost_count == REPORT_LOST_ROWS)
        return;
    ledger->lost_by[ledger->lost_count++] = (struct report_lost){
        .interface = interface,
        .stage = lost_stage_name(cause),
        .reason = lost_reason_name(cause),
        .packets = packets,
    };
}

// Rows by interface when they add up and fit, else one row a cause.
static void fill_lost(struct report_ledger *ledger, const struct source *source, const struct totals *totals,
                      enum lost_cause cause)
{
    uint64_t sum = 0;
    unsigned rows = 0;
    for (unsigned i = 0; i < totals->interfaces; i++) {
        sum += totals->interface[i].lost[cause];
        rows += totals->interface[i].lost[cause] > 0;
    }
    unsigned kept_free = LOST_CAUSES - (unsigned)cause - 1;
    if (sum != totals->lost[cause] || ledger->lost_count + rows + kept_free > REPORT_LOST_ROWS) {
        add_lost(ledger, "", cause, totals->lost[cause]);
        return;
    }
    for (unsigned i = 0; i < totals->interfaces; i++)
        add_lost(ledger, interface_name(source, totals->interface[i].number), cause,
                 totals->interface[i].lost[cause]);
}

void report_ledger_fill(struct report_ledger *ledger, const struct source *source,
                        const struct totals *totals)
{
    ledger->received = totals->received;
    ledger->analysed = totals->analysed;
    ledger->duplicate = totals->duplicate;
    ledger->lost = totals_lost(totals);
    ledger->balanced = totals_balanced(totals, &ledger->missing);
    for (enum lost_cause cause = 0; cause < LOST_CAUSES; cause++)
        fill_lost(ledger, source, totals, cause);
}

static void fill_interfaces(struct report_summary *summary, const struct totals *totals)
{
    for (unsigned i = 0; i < totals->interfaces; i++) {
        if (summary->interface_count == REPORT_INTERFACES) {
            summary->interfaces_left_out++;
            continue;
        }
        summary->interfaces[summary->interface_count++] = (struct report_interface){
            .name = interface_name(summary->context.source, totals->interface[i].number),
            .packets = totals->interface[i].received,
            .bytes = totals->interface[i].received_bytes,
            .nic_dropped = totals->interface[i].interface_dropped,
        };
    }
}

static void fill_link_types(struct report_summary *summary, const struct totals *totals)
{
    enum { NUMBERS = sizeof totals->link_type_packets / sizeof totals->link_type_packets[0] };
    for (unsigned number = 0; number < NUMBERS && summary->link_type_count < REPORT_LINK_TYPES; number++) {
        if (totals->link_type_packets[number] == 0)
            continue;
        summary->link_types[summary->link_type_count++] = (struct report_link_type){
            .number = (uint16_t)number,
            .name = number + 1 < NUMBERS ? link_type_name((uint16_t)number) : NULL,
            .packets = totals->link_type_packets[number],
        };
    }
}

static double share_of(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static void add_to_row(struct report_protocol *row, const struct report_protocol *other)
{
    row->packets += other->packets;
    row->bytes += other->bytes;
    row->flows += other->flows;
    row->packet_share += other->packet_share;
    row->byte_share += other->byte_share;
}

// Keeps the rows sorted by packets, the busiest first; the least busy are added up.
static void insert_protocol(struct report_summary *summary, const struct report_protocol *row)
{
    if (row->packets == 0)
        return;
    unsigned at = summary->protocol_count;
    while (at > 0 && summary->protocols[at - 1].packets < row->packets)
        at--;
    if (summary->protocol_count == REPORT_PROTOCOLS)
        add_to_row(&summary->other_protocols,
                   at == REPORT_PROTOCOLS ? row : &summary->protocols[REPORT_PROTOCOLS - 1]);
    if (at == REPORT_PROTOCOLS)
        return;
    if (summary->protocol_count < REPORT_PROTOCOLS)
        summary->protocol_count++;
    memmove(&summary->protocols[at + 1], &summary->protocols[at],
            (summary->protocol_count - at - 1) * sizeof summary->protocols[0]);
    summary->protocols[at] = *row;
}

// The last row, so that the rows add up.
static void add_others(struct report_summary *summary)
{
    if (summary->other_protocols.packets == 0)
        return;
    assert(summary->protocol_count == REPORT_PROTOCOLS);
    struct report_protocol *row = &summary->protocols[summary->protocol_count++];
    *row = summary->other_protocols;
    snprintf(row->name, sizeof row->name, "others");
}

static void add_ip_protocol(struct report_summary *summary, const struct totals *totals, uint8_t protocol,
                            uint64_t flows)
{
    struct report_protocol row = {
        .packets = totals->protocol_packets[protocol],
        .bytes = totals->protocol_bytes[protocol],
        .flows = flows,
        .packet_share = share_of(totals->protocol_packets[protocol], totals->analysed),
        .byte_share = share_of(totals->protocol_bytes[protocol], totals->analysed_bytes),
    };
    char name[16];
    snprintf(row.name, sizeof row.name, "%s", ip_protocol_text(protocol, name));
    insert_protocol(summary, &row);
}

// Frames without a flow.
static void add_flowless(struct report_summary *summary, const struct totals *totals, const char *name,
                         uint64_t packets, uint64_t bytes)
{
    struct report_protocol row = {
        .packets = packets,
        .bytes = bytes,
        .packet_share = share_of(packets, totals->analysed),
        .byte_share = share_of(bytes, totals->analysed_bytes),
    };
    snprintf(row.name, sizeof row.name, "%s", name);
    insert_protocol(summary, &row);
}

static void fill_protocols(struct report_summary *summary, const struct totals *totals,
                           const uint64_t flows[256])
{
    for (unsigned protocol = 0; protocol < 256; protocol++)
        add_ip_protocol(summary, totals, (uint8_t)protocol, flows[protocol]);
    add_flowless(summary, totals, "arp", totals->arp, totals->arp_bytes);
    add_flowless(summary, totals, "not-ip", totals->not_ip, totals->not_ip_bytes);
    add_others(summary);
    summary->fragments = totals->fragments;
    summary->overflow.datagrams = totals->datagrams_given_up;
    summary->vlan_packets = totals->vlan_packets;
    summary->tunnelled = totals->tunnelled;
}

static void fill_errors(struct report_doubts *doubts, const struct totals *totals)
{
    for (unsigned layer = 0; layer < DECODE_LAYERS; layer++) {
        for (unsigned reason = DECODE_OK + 1; reason < DECODE_REASONS; reason++) {
            uint64_t packets = totals->decode_errors[layer][reason];
            bool told_below = reason == DECODE_UNSUPPORTED_LINK || reason == DECODE_UNSUPPORTED_TYPE;
            if (packets == 0 || (told_below && totals->unsupported > 0))
                continue;
            doubts->errors[doubts->error_count++] = (struct report_decode_error){
                .layer = decode_layer_name((enum decode_layer)layer),
                .reason = decode_reason_name((enum decode_reason)reason),
                .packets = packets,
            };
        }
    }
}

static void fill_doubts(struct report_doubts *doubts, const struct totals *totals)
{
    fill_errors(doubts, totals);
    for (unsigned i = 0; i < totals->unsupported && i < TOTALS_UNSUPPORTED; i++) {
        const struct unsupported_totals *kind = &totals->unsupported_kind[i];
        doubts->unsupported[doubts->unsupported_count++] = (struct report_unsupported){
            .link = kind->link,
            .number = kind->number,
            .name = kind->link ? NULL : ether_type_name(kind->number),
            .packets = kind->packets,
        };
    }
    doubts->bad_checksums = totals->bad_checksums;
    doubts->snapped = totals->snapped;
    doubts->unread = totals->unread;
    doubts->bounded_stamps = totals->bounded_stamps;
    doubts->impossible_lengths = totals->impossible_lengths;
    doubts->clock_steps_back = totals->clock_steps_back;
    doubts->second_sightings = totals->second_sightings;
}

void report_totals_fill(struct report_summary *summary, const struct totals *totals,
                        const uint64_t flows[256])
{
    fill_span(&summary->span, totals);
    report_ledger_fill(&summary->ledger, summary->context.source, totals);
    fill_interfaces(summary, totals);
    fill_link_types(summary, totals);
    fill_protocols(summary, totals, flows);
    fill_doubts(&summary->doubts, totals);
    summary->flows_created = totals->flows_created;
    summary->flows_active = totals->flows_active;
    memcpy(summary->flows_ended, totals->flows_ended, sizeof summary->flows_ended);
}
