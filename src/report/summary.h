// The report of a run as plain values: what people run NetScope on a file for. Made by report.h, borrowed
// from it and valid as long as the report; api/ turns it into netscope.v1.Report, app/ into text. Lists
// are sorted and hold at most `top` rows; texts from the wire are raw and must be escaped by whoever
// writes them. Read-only; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aggregate/sink.h"

// What the report cannot know by itself. All pointers are borrowed until the report is destroyed; texts
// may be NULL where nothing is to be said.
struct report_context {
    const char *const *inputs; // files as given, or interfaces
    unsigned input_count;
    const char *filter;       // BPF; NULL or "" = none
    const char *truncated;    // the sentence about an input that was cut short
    const char *const *notes; // further sentences for the warnings: outputs that failed...
    unsigned note_count;
    const char *node, *version;
    const struct source *source; // for the names of interfaces; NULL = unknown
    bool live;
    bool observe_first; // capture.observation was first
    bool explain_alerts;
};

enum { REPORT_SENTENCES = 24, REPORT_SENTENCE_BYTES = 800, REPORT_FILTER_BYTES = 192 };

struct report_sentences {
    unsigned count;
    char text[REPORT_SENTENCES][REPORT_SENTENCE_BYTES];
};

struct report_span {
    uint64_t packets, bytes;   // received
    int64_t first_ns, last_ns; // valid when packets > 0
    double duration_secs;
    double bits_per_sec, packets_per_sec; // < 0: no duration
};

struct report_lost {
    const char *interface; // "" = not told apart
    const char *stage, *reason;
    uint64_t packets;
};

enum { REPORT_LOST_ROWS = 64 };

struct report_ledger {
    uint64_t received, analysed, duplicate, lost;
    unsigned lost_count;
    struct report_lost lost_by[REPORT_LOST_ROWS];
    bool balanced;
    int64_t missing; // received minus the buckets
};

struct source;
struct totals;
// Of zeros. The source, for the names of interfaces, may be NULL.
void report_ledger_fill(struct report_ledger *ledger, const struct source *source,
                        const struct totals *totals);

struct report_interface {
    const char *name; // "" = unknown
    uint64_t packets, bytes, nic_dropped;
};

struct report_link_type {
    uint16_t number;  // LINKTYPE; 511 = any larger
    const char *name; // NULL: not decoded
    uint64_t packets;
};

struct report_protocol {
    char name[20]; // "tcp", "arp", "not-ip"...
    uint64_t packets, bytes, flows;
    double packet_share, byte_share; // 0 to 1, of what was analysed
};

struct report_application {
    const char *name; // "dns", "tls"
    uint64_t flows, packets, bytes;
};

struct report_service {
    uint8_t protocol;
    uint16_t port; // of the server
    uint64_t flows, packets, bytes;
};

struct report_host {
    struct address address;
    const char *name; // NULL = none
    uint64_t sent_bytes, received_bytes, packets, flows;
};

// A server that connections failed to.
struct report_target {
    struct endpoint server;
    const char *name; // NULL = none
    uint64_t refused, unanswered;
};

// A flow of a list: a copy of its event.
struct report_flow {
    uint64_t score; // what its list is sorted by: bytes, report_loss_score(), nanoseconds
    struct flow_event event;
    char *texts;                              // that the event's lie in; owned by the report
    size_t text_room;                         // bytes of `texts`
    char display_filter[REPORT_FILTER_BYTES]; // for tshark -Y and Wireshark
};

struct report_flow_list {
    unsigned count;
    const struct report_flow *const *rows;
};

struct report_tcp {
    uint64_t flows;
    uint64_t unanswered, refused, reset; // attempts without answer; with RST only; RST after a handshake
    uint64_t closed, open, midway;       // orderly; still open; its beginning was not seen and it is open
    uint64_t inconclusive;               // evicted before an answer could come
    uint64_t half_open;                  // answered, but the handshake never finished
    uint64_t packets, retransmissions, out_of_order;
    uint64_t lossy;                // answered flows that retransmitted more than 1 % of their packets
    double worst_share;            // the highest share of retransmissions among those
    uint64_t slow;                 // flows with a round trip over 500 ms
    uint64_t zero_window;          // flows in which a receiver closed its window
    uint64_t gapped, missed_bytes; // flows that miss data that was never captured, and how much
    uint64_t duplicate_frames;     // captured twice; they are not among `retransmissions` here
    uint64_t one_way;              // flows that work, of which one direction was not captured
};

struct report_dns_code {
    uint16_t rcode;
    uint64_t answers;
};

struct report_dns_name {
    const char *name;
    uint16_t type;
    uint16_t rcode;        // failed names
    struct address server; // unanswered names
    uint64_t count;
};

struct report_dns_answer {
    int64_t time_ns, latency_ns;
    struct address client, server;
    uint16_t type;
    uint16_t rcode;
    char name[DNS_NAME_BYTES];
};

enum { REPORT_RCODES = 16 };

struct report_dns {
    uint64_t messages, answers, failures;
    uint64_t unanswered;                   // flows whose questions got no answer at all; multicast left out
    uint64_t inconclusive;                 // of those that were evicted before one could come
    uint64_t slow;                         // answers after more than 500 ms
    uint64_t timed;                        // answers whose question was seen
    int64_t median_ns, p95_ns, slowest_ns; // of those; of over 1,024 the first two within 7 %
    unsigned rcode_count;                  // failures by code, most frequent first
    struct report_dns_code rcodes[REPORT_RCODES];
    unsigned failed_count, unanswered_count, slowest_count;
    struct report_dns_name *failed, *unanswered_names;
    const struct report_dns_answer *const *slowest;
};

struct report_tls_version {
    uint16_t version; // the highest that the client offered
    uint64_t flows;
};

struct report_tls_name {
    const char *name;
    uint64_t flows, bytes;
};

enum { REPORT_TLS_VERSIONS = 8 };

struct report_tls {
    uint64_t hellos, flows;
    uint64_t without_name, cut, encrypted; // flows: no SNI; hello not whole; ECH offered (real or GREASE)
    uint64_t outdated;                     // flows that offer nothing newer than TLS 1.1
    uint64_t names;                        // different ones
    unsigned version_count, name_count;
    struct report_tls_version *versions;
    struct report_tls_name *name;
};

struct report_decode_error {
    const char *layer, *reason;
    uint64_t packets;
};

struct report_unsupported {
    bool link; // a link type, else an EtherType
    uint16_t number;
    const char *name; // NULL = none
    uint64_t packets;
};

// What was not understood, and what is odd about the capture.
struct report_doubts {
    unsigned error_count, unsupported_count;
    struct report_decode_error errors[DECODE_LAYERS * DECODE_REASONS];
    struct report_unsupported unsupported[TOTALS_UNSUPPORTED];
    uint64_t bad_checksums, snapped, clock_steps_back, second_sightings;
    uint64_t unread;             // packets that are neither IP nor ARP
    uint64_t bounded_stamps;     // packets whose stamp was
    uint64_t impossible_lengths; // packets whose wire length was bounded
};

// Rows that bounded tables had to give up, so that what is counted under the others may be too low.
struct report_overflow {
    uint64_t hosts, services, targets, dns_names, tls_names;
    uint64_t
        answers; // of DNS, more than a tick's list has places for: not in the counts of answers and names
    uint64_t streams;   // hellos and DNS messages in several segments, told as far as they came
    uint64_t datagrams; // IP's, in fragments: never put together
};

enum { REPORT_INTERFACES = 64, REPORT_LINK_TYPES = 16, REPORT_PROTOCOLS = 16 };

// Alerts of the run: each as it was told last, the most severe first.
struct report_alerts {
    uint64_t raised, by_kind[ALERT_KINDS];
    unsigned count; // listed
    const struct alert_event *rows;
};

struct report_summary {
    struct report_context context;
    struct report_sentences warnings;  // about the capture: what the figures below must be read with
    struct report_sentences headlines; // about the traffic: what stands out
    struct report_span span;
    struct report_ledger ledger;
    unsigned interface_count, interfaces_left_out;
    struct report_interface interfaces[REPORT_INTERFACES];
    unsigned link_type_count;
    struct report_link_type link_types[REPORT_LINK_TYPES];
    unsigned protocol_count;
    struct report_protocol protocols[REPORT_PROTOCOLS + 1]; // the last: "others", what the rows do not hold
    struct report_protocol other_protocols;
    uint64_t fragments, vlan_packets, tunnelled;
    unsigned application_count;
    struct report_application applications[FLOW_APPS];
    uint64_t flows_created, flows_active, flows_ended[END_REASONS];
    uint64_t host_total; // hosts seen, or kept when some were given up
    unsigned service_count, host_count, target_count;
    struct report_service *services;
    struct report_host *hosts;
    struct report_target *targets;
    struct report_tcp tcp;
    struct report_flow_list top_flows, retransmitting_flows, slow_flows;
    struct report_dns dns;
    struct report_tls tls;
    struct report_doubts doubts;
    struct report_overflow overflow;
    struct report_alerts alerts;
};

// Which endpoint is the client: 0 or 1; 0 when unknown.
static inline unsigned report_flow_client(const struct report_flow *row)
{
    return row->event.record.client == 1 ? 1 : 0;
}

// The round trip that a flow is judged by: the longer of the handshake's and the smoothed one; < 0: none.
int64_t report_round_trip_ns(const struct flow_record *record);

// Packets that were sent again, without frames that were captured twice; and packets, each frame counted once.
uint64_t report_retransmissions(const struct flow_record *record);
uint64_t report_packets_once(const struct flow_record *record);
// Whether an answered TCP flow retransmitted more than 1 % of its packets, as report_tcp.lossy counts.
bool report_is_lossy(const struct flow_record *record);
