// Totals of a run, and its ledger: every packet that was received ends in exactly one bucket,
//     received = analysed + duplicate + sum of lost
// but for the fragments that wait for the first of their datagram.
// The source thread writes what it knows (received, lost, decode errors), shards report theirs each
// tick, aggregate adds them up. Plain values; a snapshot carries a copy that is exact at its tick.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "decode/packet.h"
#include "flow/record.h"

// Where and why a packet was lost: the labels of netscope_packets_lost_total, one row each in totals.c.
enum lost_cause {
    LOST_KERNEL_RING,    // stage kernel, reason ring_full: libpcap's ps_drop
    LOST_DISPATCH_QUEUE, // stage dispatch, reason queue_full: no free batch or chunk (live)
    LOST_STOP_UNREAD,    // stage stop, reason unread: still in the kernel's ring when the source ended
    LOST_CAUSES,
};
const char *lost_stage_name(enum lost_cause cause);
const char *lost_reason_name(enum lost_cause cause);

enum { TOTALS_INTERFACES = 256, TOTALS_UNSUPPORTED = 16 };

// A row of the ledger: an interface that is there, or a word of the settings for those behind it that are gone.
struct interface_totals {
    uint16_t number;                    // for source_interface(), which has its name and the word behind it
    bool exact;                         // the source's own count is to be met at the end of the run
    uint64_t delivered, received_bytes; // that reached the dispatch
    uint64_t received;                  // delivered, and what was lost before
    uint64_t source_received;           // the source's own count at the same moment, where it has one
    uint64_t lost[LOST_CAUSES];
    uint64_t interface_dropped; // by the NIC: outside the ledger
    uint64_t unwanted;          // handed over behind run.count: outside the ledger
};

// What was not understood, by number: EtherTypes and link types, the first TOTALS_UNSUPPORTED met.
struct unsupported_totals {
    bool link; // else EtherType
    uint16_t number;
    uint64_t packets;
};

struct totals {
    // Source thread.
    uint64_t received, received_bytes;
    uint64_t lost[LOST_CAUSES];
    uint64_t decode_errors[DECODE_LAYERS][DECODE_REASONS];
    unsigned unsupported;
    struct unsupported_totals unsupported_kind[TOTALS_UNSUPPORTED];
    uint64_t bad_checksums, snapped, fragments, vlan_packets, tunnelled;
    uint64_t unread;                         // neither IP nor ARP
    uint64_t fragments_waiting;              // now
    uint64_t datagrams_given_up;             // in fragments, and never put together
    uint64_t bounded_stamps;                 // before 1823 or after 2116: told as the nearest that can be
    uint64_t impossible_lengths;             // a wire length that no frame has: bounded
    uint64_t clock_steps_back;               // larger than 1 s: re-based
    int64_t clock_offset_ns;                 // flow time minus the packets' stamps
    uint64_t link_type_packets[512];         // by LINKTYPE number; 511 = any larger
    bool interval_end;                       // this tick ends an interval (stats.interval_ms)...
    int64_t interval_ns;                     // ...of this length
    int64_t first_packet_ns, last_packet_ns; // least and greatest stamp; valid when received > 0
    // Shards.
    uint64_t analysed, analysed_bytes, duplicate;
    uint64_t second_sightings; // packets whose direction another interface had seen first
    uint64_t flows_created, flows_active, flows_ended[END_REASONS];
    uint64_t flows_refused;      // packets without a flow: no memory
    uint64_t flows_unanswered;   // ended, and only one side had ever sent
    uint64_t flows_inconclusive; // of these: evicted before an answer could come
    uint64_t flow_table_bytes;
    uint64_t protocol_packets[256], protocol_bytes[256]; // by IP protocol, of analysed packets
    uint64_t arp, arp_bytes, not_ip, not_ip_bytes;       // the others of these
    uint64_t dns_messages, tls_hellos;
    uint64_t answers_given_up; // of DNS: not in the counts of names, for a tick had too many of them
    uint64_t
        streams_given_up; // hellos and DNS messages in several segments: made room for others before they were whole
    // Source thread, see ledger.h. Those of a file past TOTALS_INTERFACES share the last row.
    unsigned interfaces; // rows used below
    struct interface_totals interface[TOTALS_INTERFACES];
};

// A copy without the interfaces that there are not.
void totals_copy(struct totals *to, const struct totals *from);
uint64_t totals_lost(const struct totals *totals);
// The law above. False names the difference in *missing (received minus the buckets).
bool totals_balanced(const struct totals *totals, int64_t *missing);
