#include "detect/observe.h"

#include <assert.h>

#include "detect/targets.h"
#include "flow/community_id.h"

// What is counted of a packet.
struct observed {
    const struct packet *packet;
    uint64_t hash_seed;
    struct endpoint target;
    struct endpoint client, server; // of the sample
    bool from_server;               // it was sent by it
    uint32_t packets;               // that this one stands for
};

// US-CERT TA14-017A (Rossow, "Amplification Hell", NDSS 2014: 17, 19, 53, 111, 123, 137, 161, 520, 1900, 5353, 27015, 27960),
// its revisions (389, 11211), and since: 427 SLP (CISA, April 2023), 1434 MSSQL, 3283 Apple Remote Management (2019),
// 3702 WS-Discovery (2019), 5683 CoAP (FBI, 2020), 10001 Ubiquiti (2019), 32414 Plex (2021), 37810 DVRs (2020).
// TFTP answers from other ports; those of QUIC, OpenVPN and STUN carry ordinary traffic in one direction.
bool is_amplifier_port(uint16_t port)
{
    switch (port) {
    case 17: // quote of the day
    case 19: // character generator
    case 53:
    case 111: // port mapper
    case 123:
    case 137: // NetBIOS
    case 161: // SNMP
    case 389: // CLDAP
    case 427:
    case 520: // RIP version 1
    case 1434:
    case 1900: // SSDP
    case 3283:
    case 3702:
    case 5353:
    case 5683:
    case 10001:
    case 11211: // memcached
    case 27015: // Steam
    case 27960: // Quake
    case 32414:
    case 37810:
        return true;
    default:
        return false;
    }
}

static struct endpoint source_of(const struct packet *packet)
{
    uint16_t port = packet->ports_known ? packet->source_port : 0;
    return (struct endpoint){packet->source, port};
}

static struct endpoint target_of(const struct packet *packet)
{
    uint16_t port = packet->ports_known ? packet->target_port : 0;
    return (struct endpoint){packet->target, port};
}

// The row that `of` counts in; NULL without memory.
static struct target_row *row_of(struct partition_evidence *evidence, enum target_kind kind,
                                 const struct endpoint *target, const struct observed *of)
{
    struct target_table **table = &evidence->targets[kind];
    if (*table == NULL && (*table = target_table_create()) == NULL) {
        evidence->refused++;
        return NULL;
    }
    return target_table_row(*table, target, target_hash(target, of->hash_seed), of->packets);
}

static void add_sample(struct target_row *row, const struct observed *of)
{
    const struct packet *packet = of->packet;
    bool tunnel = packet->tunnel.kind != TUNNEL_NONE;
    struct target_sample *sample = &row->samples[row->sample_count++];
    sample->flow.first_seen_ns = packet->time_ns;
    sample->flow.client = of->client;
    sample->flow.server = of->server;
    sample->flow.protocol = packet->ip_protocol;
    sample->flow.tunnel_kind = packet->tunnel.kind;
    sample->flow.tunnel_id = tunnel ? packet->tunnel.id : 0;
    sample->interface = packet->interface;
    sample->from_server = of->from_server;
}

// A packet to the target, of its sender.
static void count_to(struct partition_evidence *evidence, enum target_kind kind, unsigned which,
                     const struct observed *of)
{
    struct target_row *row = row_of(evidence, kind, &of->target, of);
    if (row == NULL)
        return;
    const struct address *source = &of->packet->source;
    row->counts[which] += of->packets;
    if (row->sample_count < TARGET_ROW_SAMPLES)
        add_sample(row, of);
    target_row_add_source(row, source, source_hash(source, of->hash_seed), of->packets);
}

static void count_from(struct partition_evidence *evidence, enum target_kind kind,
                       const struct endpoint *target, const struct observed *of)
{
    struct target_row *row = row_of(evidence, kind, target, of);
    if (row != NULL)
        row->counts[1] += of->packets;
}

static void observe_tcp(struct partition_evidence *evidence, struct observed *of, unsigned facts)
{
    const struct packet *packet = of->packet;
    if (!packet->has_transport)
        return;
    of->client = source_of(packet);
    of->server = target_of(packet);
    uint8_t flags = packet->tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN);
    if (flags == TCP_SYN) {
        of->target = of->server;
        count_to(evidence, TARGET_SYN, 0, of);
    } else if (flags == (TCP_SYN | TCP_ACK) && (facts & OBSERVED_RECEIVER_SENT) == 0) {
        of->client = target_of(packet);
        of->server = source_of(packet);
        of->from_server = true;
        count_to(evidence, TARGET_UNASKED, 0, of);
    } else if ((facts & OBSERVED_HANDSHAKE) != 0) {
        count_from(evidence, TARGET_SYN, &of->server, of);
    }
}

// Both directions of what has an address as its target.
static void count_both(struct partition_evidence *evidence, enum target_kind kind, struct observed *of)
{
    struct endpoint source = {.address = of->packet->source};
    count_to(evidence, kind, 0, of);
    count_from(evidence, kind, &source, of);
}

static void observe_udp(struct partition_evidence *evidence, struct observed *of, unsigned facts)
{
    const struct packet *packet = of->packet;
    bool unasked = (facts & OBSERVED_RECEIVER_SENT) == 0 && packet->ports_known &&
                   is_amplifier_port(packet->source_port);
    if (unasked) {
        of->client = target_of(packet);
        of->server = source_of(packet);
        of->from_server = true;
        count_to(evidence, TARGET_UNASKED, 1, of);
    }
    if (!is_sampled_udp(packet, of->hash_seed))
        return;
    of->client = source_of(packet);
    of->server = target_of(packet);
    of->from_server = false;
    of->packets = UDP_SAMPLED;
    count_both(evidence, TARGET_UDP, of);
}

static void observe_icmp(struct partition_evidence *evidence, struct observed *of)
{
    const struct packet *packet = of->packet;
    of->client = source_of(packet);
    of->server = target_of(packet);
    if (packet->ports_known) {
        bool one_way;
        icmp_ports(packet->ip_protocol, (uint8_t)packet->source_port, (uint8_t)packet->target_port,
                   &of->client.port, &of->server.port, &one_way);
    }
    count_both(evidence, TARGET_ICMP, of);
}

void observe_closely(struct partition_evidence *evidence, const struct packet *packet, unsigned facts,
                     uint64_t hash_seed)
{
    assert(packet->source.version != 0); // it has a flow
    if (address_is_multicast(&packet->target) || address_is_broadcast(&packet->target))
        return;
    struct observed of = {
        .packet = packet, .hash_seed = hash_seed, .target.address = packet->target, .packets = 1};
    if (packet->ip_protocol == IP_PROTOCOL_TCP)
        observe_tcp(evidence, &of, facts);
    else if (packet->ip_protocol == IP_PROTOCOL_UDP)
        observe_udp(evidence, &of, facts);
    else if (ip_protocol_is_icmp(packet->ip_protocol))
        observe_icmp(evidence, &of);
}
