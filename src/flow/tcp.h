// TCP: the state machine of a flow and the quality of its transfer. Pure but for the parts that it takes
// from the store. Internal to flow/.
//
// Quality is told apart as tshark does (tcp.analysis.*). Data that begins below the highest number of its direction
// was retransmitted when the peer has acknowledged it, or has asked for it with two duplicate ACKs within 20 ms; it is
// out of order when less than the handshake's RTT (or 3 ms) has passed since that number was reached and it does not end
// there; else it was retransmitted. Keep-alives and window probes are neither. RTT follows Karn's rule: data to the ACK
// that covers it, never over a retransmission. docs/connections.md tells it to users.
#pragma once

#include "base/time.h"
#include "flow/policy.h"
#include "flow/store.h"

#define TCP_LONGEST_RTT_NS (INT64_C(300) * NS_PER_S) // a longer span is none

// Advances flow->tcp_state and flow->tcp_flags; `direction` is the sender's. The caller has counted the
// packet already.
void tcp_track_state(struct flow *flow, const struct packet *packet, int direction);

// What a packet is to the flow that has its five-tuple. A SYN with the number that opened the flow, or that was
// acknowledged, is the flow's own, however late it is read.
enum tcp_kin {
    TCP_KIN_OWN,
    TCP_KIN_NEXT,  // begins a connection: a SYN with another number, where the flow has ended or rests
    TCP_KIN_RETRY, // asks again for one that was refused, with the same number: a new attempt
    TCP_KIN_CHALLENGE, // a SYN with another number while the flow is busy: new when it is answered, else forged or lost
    TCP_KIN_ANSWER, // that answer
};
enum tcp_kin tcp_kin(const struct flow_store *store, const struct flow *flow, const struct packet *packet,
                     int direction, int64_t rested_ns);
// Keeps what is needed to move a challenge to a flow of its own. It is counted in this one afterwards, but not measured.
void tcp_note_challenge(struct flow_store *store, struct flow *flow, const struct packet *packet,
                        int direction, int64_t at_ns);
// A packet of the flow that is no part of a challenge: should that move, the flow ends with this packet.
void tcp_outlive_challenge(struct flow_store *store, struct flow *flow, int64_t at_ns);

// What a handshake says about quality, into a part of zeros. `client` is the direction of the SYN, which was
// sent at `syn_ns` by its own stamp. Nothing in it asks for a further part.
void tcp_measure_opening(const struct tcp_opening *opening, int client, int64_t syn_ns,
                         const struct flow_policy *policy, struct tcp_quality *quality);

// The same for the SYN of a retry, which is counted as retransmitted.
void tcp_measure_retry(struct flow_store *store, uint32_t id, const struct packet *packet, int direction,
                       const struct flow_policy *policy);

// Updates the quality part. flow->last_ns is that of the packet before it. Spans are measured between the packets' own stamps.
// Returns whether the frame was captured before.
bool tcp_measure(struct flow_store *store, uint32_t id, const struct packet *packet, int direction,
                 const struct flow_policy *policy);

// What rests for five minutes waits for no ACK any more, and has no history behind its end: called before its next packet
// is measured.
void tcp_rest(struct flow_store *store, const struct flow *flow);

// What a record says of a quality.
enum conn_state tcp_conn_state(const struct tcp_quality *quality, int client_side, bool carried);
void tcp_history_text(const struct tcp_quality *quality, int client, char into[TCP_HISTORY_BYTES]);
// Bytes of a side that its peer has acknowledged though they were not seen, and of holes that nobody acknowledges, each
// at most a window's worth.
uint64_t tcp_bytes_missed(const struct flow_store *store, const struct tcp_quality *quality, int direction);
// Payload of a side by its sequence numbers, as Zeek counts it: from its first number to the highest sent or acknowledged.
uint64_t tcp_payload_bytes(const struct tcp_quality *quality, int direction);
// The series with the larger minimum: it is not the near host's own delay.
const struct tcp_rtt *tcp_far_rtt(const struct tcp_quality *quality);

// Whether a segment completes its sender's handshake: the first ACK of a side that sent a SYN. `sent_flags`: all that
// the side had sent before in this flow. An answer that was not captured is proven by it. (Whoever spoofs an ACK behind
// each SYN is taken for a client that was answered.)
static inline bool tcp_completes_handshake(uint8_t sent_flags, const struct packet *packet)
{
    return (sent_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && packet->has_transport &&
           (packet->tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_ACK;
}

// Whether a segment goes on behind its sender's SYN-ACK: a server does so when its client has answered.
static inline bool tcp_goes_on(uint8_t sent_flags, const struct packet *packet)
{
    return (sent_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) &&
           (packet->tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_ACK;
}
