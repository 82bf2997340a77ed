// TCP: the state machine of a flow and the quality of its transfer. Pure but for the parts that it takes
// from the store. Internal to flow/.
//
// Quality is told apart as tshark does (tcp.analysis.*): data below the highest sequence number is out of
// order when it fills a hole, less than the handshake's RTT (or 3 ms) after that number was reached, and the
// receiver had not asked for it with two duplicate ACKs within 20 ms; else it was retransmitted. Unlike
// tshark's, data that was seen before is never out of order. RTT follows Karn's rule: data to the ACK that
// covers it, never over a retransmission.
#pragma once

#include "flow/policy.h"
#include "flow/store.h"

// Advances flow->tcp_state and flow->tcp_flags; `direction` is the sender's. The caller has counted the
// packet already.
void tcp_track_state(struct flow *flow, const struct packet *packet, int direction);

// Whether this packet begins a new connection on the five-tuple of a closed or reset flow: a SYN whose
// sequence number is not the one that opened it.
bool tcp_is_reuse(const struct flow_store *store, const struct flow *flow, const struct packet *packet,
                  int direction);

// What a handshake says about quality, into a part of zeros. `client` is the direction of the SYN, which was
// sent at `syn_ns` by its own stamp. Nothing in it asks for a further part.
void tcp_measure_opening(const struct tcp_opening *opening, int client, int64_t syn_ns,
                         const struct flow_policy *policy, struct tcp_quality *quality);

// Updates the quality part. Spans are measured between the packets' own stamps.
void tcp_measure(struct flow_store *store, uint32_t id, const struct packet *packet, int direction,
                 const struct flow_policy *policy);

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
