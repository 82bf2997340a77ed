// What detectors that judge by target see of a packet (the detectors' `observe`): called for each packet that its flow
// counted, by the shard, with the evidence of its own and the packet's partition. A plain segment of TCP costs one test of its
// flags; what is looked at costs a hash, a probe and the sketches of one row (targets.h), whatever is spoofed: the
// figures are the rows `observe` of bench/micro.
//
// What counts (enum target_kind), never for a multicast or broadcast target:
// - TARGET_SYN: SYNs (of SYN, ACK, RST, FIN only SYN), retransmitted ones too, and handshakes that were completed.
// - TARGET_UNASKED: SYN-ACKs, and UDP from ports of amplifiers with all its fragments, whose receiver had sent nothing in
//   the flow; taken back is a SYN-ACK whose sender goes on: the receiver's answer was not captured. An answer to a question that was multicast (mDNS, SSDP) is one that nobody asked: it takes the threshold.
// - TARGET_UDP: UDP packets to an address and from it, fragments too; by one packet of UDP_SAMPLED, which counts for so
//   many. Which are looked at is a keyed hash of the packet's number in the run, so that it is the same for any number of
//   shards and nobody can send between them. n packets are told with a standard error of sqrt(15 / n): 1.7 % at 50,000.
//   Their distinct sources are those of the packets that are looked at.
// - TARGET_ICMP: every message of ICMP and ICMPv6 to an address and from it, exact: echoes, but errors and replies as
//   well, for floods are made of both (BlackNurse, 2016, of port unreachables).
// Pure but for its evidence; the shard's thread; no clock.
#pragma once

#include "decode/packet.h"
#include "detect/evidence.h"

// Facts of the flow, as bits. A packet without a flow (no memory) has OBSERVED_RECEIVER_SENT: nothing is known of it.
enum observed_fact {
    OBSERVED_RECEIVER_SENT = 1 << 0, // before, in this flow
    OBSERVED_WENT_ON = 1 << 2,       // tcp_goes_on(), and the receiver was not seen
    OBSERVED_HANDSHAKE = 1 << 1,     // tcp_completes_handshake(): the sender is the client
};

enum { UDP_SAMPLED = 16 };

// Behind the test that most packets do not pass.
void observe_closely(struct evidence *evidence, unsigned partition, const struct packet *packet,
                     unsigned facts, uint64_t hash_seed);

// Whether a UDP packet is one of those that are looked at.
static inline bool is_sampled_udp(const struct packet *packet, uint64_t hash_seed)
{
    uint64_t mixed = (packet->number ^ hash_seed) * 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93;
    return mixed >> 32 < (UINT64_C(1) << 32) / UDP_SAMPLED;
}

static inline void observe_packet(struct evidence *evidence, unsigned partition, const struct packet *packet,
                                  unsigned facts, uint64_t hash_seed)
{
    if (packet->ip_protocol == IP_PROTOCOL_TCP) {
        if ((packet->tcp.flags & TCP_SYN) == 0 && (facts & (OBSERVED_HANDSHAKE | OBSERVED_WENT_ON)) == 0)
            return;
    } else if (packet->ip_protocol == IP_PROTOCOL_UDP) {
        if ((facts & OBSERVED_RECEIVER_SENT) != 0 && !is_sampled_udp(packet, hash_seed))
            return;
    }
    observe_closely(evidence, partition, packet, facts, hash_seed);
}

// Whether servers that answer more than they are asked listen there, by UDP.
bool is_amplifier_port(uint16_t port);
