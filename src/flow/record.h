// The flow record: what leaves the flow table when a flow ends (or is reported active), as plain
// values. Directions are indexed 0 = endpoint A to B, 1 = B to A; A is the smaller endpoint by (IP
// version, address bytes, port). Records travel in pooled buffers; `names` is owned by the record and
// freed with flow_names_free() by whoever consumes it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

enum tcp_state {
    TCP_STATE_NONE, // not TCP
    TCP_STATE_UNKNOWN,
    TCP_STATE_SYN_SENT,
    TCP_STATE_SYN_ACK,
    TCP_STATE_ESTABLISHED,
    TCP_STATE_FIN_WAIT, // one side closed
    TCP_STATE_CLOSED,   // both sides closed
    TCP_STATE_RESET,
};

enum end_reason {
    END_TIMEOUT,  // idle
    END_ACTIVE,   // an interim record: the flow goes on
    END_EVICTION, // made room under flow.max_flows
    END_CLOSED,
    END_RESET,
    END_REUSE, // a SYN with a new sequence number on a flow that has ended or rested, or that was answered
    END_RUN,   // alive at the end of the run
    END_REASONS,
};

// What a record tells of its flow.
enum flow_event_kind {
    FLOW_ENDED,
    FLOW_CHANGED, // an interim record
    FLOW_BEGAN,
};

// How a connection went, as Zeek's conn_state says it. TCP and UDP.
enum conn_state {
    CONN_STATE_UNKNOWN, // neither, or quality is not measured
    CONN_STATE_S0,      // asked, no answer
    CONN_STATE_S1,      // established, not ended
    CONN_STATE_SF,      // ended in order
    CONN_STATE_REJ,     // refused
    CONN_STATE_S2,      // established, the client has closed
    CONN_STATE_S3,      // established, the server has closed
    CONN_STATE_RSTO,    // reset by the client
    CONN_STATE_RSTR,    // reset by the server
    CONN_STATE_RSTOS0,  // asked and reset by the client, no answer seen
    CONN_STATE_RSTRH,   // answered and reset by the server, nothing of the client seen
    CONN_STATE_SH,      // asked and closed by the client, no answer seen
    CONN_STATE_SHR,     // answered and closed by the server, nothing of the client seen
    CONN_STATE_OTH,     // first seen midway
    CONN_STATES,
};

enum client_from { CLIENT_UNKNOWN, CLIENT_SYN, CLIENT_SYN_ACK, CLIENT_FIRST_PACKET, CLIENT_PORT };
enum flow_app { FLOW_APP_NONE, FLOW_APP_DNS, FLOW_APP_TLS, FLOW_APPS };

// The texts met inside a flow's payload, ROW(CONSTANT, field of netscope.v1.Flow): whatever copies, carries or
// renders them walks over this table, so that a new text is a row here, its field and the line that sets it.
#define FLOW_TEXT_ROWS(ROW)                                                                                  \
    ROW(SNI, sni)                                                                                            \
    ROW(ALPN, alpn)                                                                                          \
    ROW(DNS_QUERY, dns_query)

#define FLOW_TEXT_CONSTANT(NAME, field) FLOW_TEXT_##NAME,
enum flow_text {
    FLOW_TEXT_ROWS(FLOW_TEXT_CONSTANT) // each on a line of the table above
    FLOW_TEXT_OFFER,                   // what JA3 and JA4 are made of (decode/app/tls.h); nobody is shown it
    FLOW_TEXTS,
};
#undef FLOW_TEXT_CONSTANT

// To which a copy cuts them. An offer is never longer than its own.
enum { FLOW_TEXT_LONGEST = 255, FLOW_OFFER_LONGEST = 2047 };
static inline unsigned flow_text_longest(unsigned text)
{
    return text == FLOW_TEXT_OFFER ? FLOW_OFFER_LONGEST : FLOW_TEXT_LONGEST;
}

// What else the payload said.
struct flow_facts {
    uint8_t sni_status : 7;  // enum sni_status (decode/app/tls.h)
    uint8_t ech_offered : 1; // by the hello that the name is of
    uint8_t app;             // enum flow_app
    uint16_t tls_version;    // highest offered; 0 = none, or not told
    uint16_t dns_type;
    int16_t dns_rcode; // -1 = no answer seen
};

// Only flows whose payload said something carry this. Escaped once where they were read, terminated; "" = none.
struct flow_names {
    const char *text[FLOW_TEXTS];
    struct flow_facts facts;
    uint16_t text_bytes; // of a copy: what lies behind it
};

extern const struct flow_names flow_names_none;

// Rare facts.
struct flow_tunnel {
    uint8_t kind;     // enum tunnel_kind (decode/packet.h)
    uint8_t key_kind; // of the flow's key: none where the flow began outside of the tunnel
    bool two_ids;     // packets back have another id: peer_id
    uint32_t id, peer_id;
    uint64_t key;                  // of the flow's key: struct flow_key.tunnel
    struct address source, target; // the outer ones, of the first packet inside
};

enum { OBSERVED_INTERFACES = 4 };
enum { TCP_HISTORY_BYTES = 18 }; // a mark for turned roles, 16 letters, the end

struct flow_rtt {
    int64_t last_ns, min_ns, ewma_ns; // valid when samples > 0
    uint64_t samples;
};

struct flow_record {
    struct endpoint endpoint[2]; // ICMP: type and mapped code as Community ID has them
    int64_t first_seen_ns, last_seen_ns, end_ns;
    int64_t began_ns;              // first_seen in flow time, which knows no steps of the clock
    uint64_t packets[2], bytes[2]; // bytes on the wire, whole frames
    uint64_t retransmissions[2], out_of_order[2], zero_windows[2], duplicate_acks[2], bytes_missed[2];
    uint64_t duplicate_frames[2];              // captured twice
    uint64_t duplicate_retransmissions[2];     // those of them that are among retransmissions
    uint64_t payload_bytes[2];                 // TCP, by sequence numbers; valid when has_payload
    struct flow_rtt rtt[2];                    // to the ACK of endpoint A, of B
    struct flow_rtt rtt_far;                   // that of them with the larger minimum
    int64_t handshake_rtt_ns;                  // < 0 = none
    uint32_t record_seq;                       // 0 for the first record of a flow
    uint32_t ordinal;                          // tells flows of one key and began_ns apart
    uint16_t interface;                        // of the first packet
    uint16_t observed_at[OBSERVED_INTERFACES]; // further interfaces that saw it
    uint8_t observed;
    uint16_t vlan; // of the first packet
    bool has_vlan;
    bool has_quality;        // false in scale mode: RTT is unknown, the counters are 0
    bool no_retransmissions; // not counted (analysis.retrans) while other quality is: unknown
    bool no_out_of_order;    // the same of analysis.out_of_order
    bool final;              // false for active records
    bool has_payload;
    uint8_t conn_state;              // enum conn_state
    char history[TCP_HISTORY_BYTES]; // Zeek's letters
    uint8_t protocol;                // IP protocol number
    uint8_t tcp_state;               // enum tcp_state
    uint8_t event;                   // enum flow_event_kind
    uint8_t reason;                  // enum end_reason
    int8_t client;                   // 0 = A is the client, 1 = B, -1 = unknown
    uint8_t client_from;             // enum client_from
    uint8_t tcp_flags[2];            // OR of all flags a side sent
    struct flow_tunnel tunnel;       // kind 0 = none
    struct flow_facts facts;         // of the names, or those of flow_names_none
    struct flow_names *names;        // the texts; NULL = none
};

const char *tcp_state_name(enum tcp_state state);
const char *conn_state_name(enum conn_state state); // "" = unknown
// Whether a flow that only one side spoke in ended before an answer could come: it made room, and is no failure.
bool end_is_inconclusive(enum end_reason reason, int64_t first_seen_ns, int64_t end_ns);
const char *end_reason_name(enum end_reason reason);
const char *flow_app_name(enum flow_app app);

// A copy that owns its texts, as one block; NULL without memory.
struct flow_names *flow_names_copy(const struct flow_names *names);
void flow_names_free(struct flow_names *names);

// What a flow is called wherever it appears, for any number of workers: 32 hex digits of a digest of its key, its
// beginning in flow time and the ordinal. No two flows of a run have the same. All records of a flow have it.
enum { FLOW_ID_TEXT_BYTES = 33 };
void flow_record_id(const struct flow_record *record, char into[FLOW_ID_TEXT_BYTES]);
// The digest itself.
enum { FLOW_ID_BYTES = 16 };
void flow_record_id_bytes(const struct flow_record *record, uint8_t into[FLOW_ID_BYTES]);
// False when the text is no id.
bool flow_id_decode(const char *text, uint8_t into[FLOW_ID_BYTES]);

// Order of all outputs: end time, then key (protocol, endpoints, tunnel), then first seen.
// The same without the end time.
int flow_record_compare_keys(const struct flow_record *left, const struct flow_record *right);
int flow_record_compare(const struct flow_record *left, const struct flow_record *right);

// The same order as bytes: memcmp() of two keys is flow_record_compare() of their records.
enum { FLOW_SORT_KEY_BYTES = 84 };
void flow_record_sort_key(const struct flow_record *record, uint8_t into[FLOW_SORT_KEY_BYTES]);
