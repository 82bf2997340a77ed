#include "detect/observe.h"

#include <assert.h>

#include "detect/targets.h"
#include "flow/community_id.h"

// What is counted of a packet. Its addresses are read where they are: a copy that was just made field by field is not
// copied again at once.
struct observed {
    const struct packet *packet;
    uint64_t hash_seed;
    uint32_t packets;     // that this one stands for
    uint16_t target_port; // of the row; 0 = any
    uint8_t partition;
    bool from_server; // the packet was sent by it
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

// The row of an address; NULL without memory.
static struct target_row *row_of(struct evidence *evidence, enum target_kind kind,
                                 const struct address *target, const struct observed *of)
{
    struct target_table **table = &evidence->targets[kind];
    if (*table == NULL && (*table = target_table_create()) == NULL) {
        evidence->refused++;
        return NULL;
    }
    struct target_name name = {
        .address = target,
        .hash = target_hash(target, of->target_port, of->hash_seed),
        .port = of->target_port,
        .partition = of->partition,
    };
    struct target_row *row = target_table_row(*table, &name, of->packets);
    evidence->refused += row == NULL;
    return row;
}

// As the flow has them.
static void take_ports(const struct packet *packet, uint16_t ports[2])
{
    bool one_way;
    ports[0] = packet->ports_known ? packet->source_port : 0;
    ports[1] = packet->ports_known ? packet->target_port : 0;
    if (packet->ports_known && ip_protocol_is_icmp(packet->ip_protocol))
        icmp_ports(packet->ip_protocol, (uint8_t)ports[0], (uint8_t)ports[1], &ports[0], &ports[1], &one_way);
}

static void add_sample(struct target_row *row, const struct observed *of)
{
    const struct packet *packet = of->packet;
    struct target_sample *sample = &row->samples[row->sample_count++];
    struct endpoint *from = of->from_server ? &sample->flow.server : &sample->flow.client;
    struct endpoint *to = of->from_server ? &sample->flow.client : &sample->flow.server;
    uint16_t ports[2];
    take_ports(packet, ports);
    from->address = packet->source;
    from->port = ports[0];
    to->address = packet->target;
    to->port = ports[1];
    sample->flow.first_seen_ns = packet->time_ns;
    sample->flow.protocol = packet->ip_protocol;
    sample->flow.tunnel_kind = packet->tunnel.kind;
    sample->flow.tunnel_id = packet->tunnel.kind != TUNNEL_NONE ? packet->tunnel.id : 0;
    sample->interface = packet->interface;
    sample->from_server = of->from_server;
}

// A packet to the target, of its sender.
static void count_to(struct evidence *evidence, enum target_kind kind, unsigned which,
                     const struct observed *of)
{
    const struct address *source = &of->packet->source;
    struct target_row *row = row_of(evidence, kind, &of->packet->target, of);
    if (row == NULL)
        return;
    row->counts[which] += of->packets;
    if (row->sample_count < TARGET_ROW_SAMPLES)
        add_sample(row, of);
    target_row_add_source(evidence->targets[kind], row, source, source_hash(source, of->hash_seed),
                          of->packets);
}

static void count_from(struct evidence *evidence, enum target_kind kind, const struct address *target,
                       const struct observed *of)
{
    struct target_row *row = row_of(evidence, kind, target, of);
    if (row != NULL)
        row->counts[1] += of->packets;
}

static void observe_tcp(struct evidence *evidence, struct observed *of, unsigned facts)
{
    const struct packet *packet = of->packet;
    uint8_t flags = packet->tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN);
    if (!packet->has_transport)
        return;
    if (flags == (TCP_SYN | TCP_ACK)) {
        of->from_server = true;
        if ((facts & OBSERVED_RECEIVER_SENT) == 0)
            count_to(evidence, TARGET_UNASKED, 0, of);
        return;
    }
    if ((facts & OBSERVED_WENT_ON) != 0)
        count_from(evidence, TARGET_UNASKED, &packet->target, of);
    of->target_port = packet->target_port;
    if (flags == TCP_SYN)
        count_to(evidence, TARGET_SYN, 0, of);
    else if ((facts & OBSERVED_HANDSHAKE) != 0)
        count_from(evidence, TARGET_SYN, &packet->target, of);
}

// Both directions of what has an address as its target.
static void count_both(struct evidence *evidence, enum target_kind kind, const struct observed *of)
{
    count_to(evidence, kind, 0, of);
    count_from(evidence, kind, &of->packet->source, of);
}

// From a port that servers have to one that clients get: asked for, or, of amplifiers, a reflection.
static bool is_download(const struct packet *packet)
{
    enum { SERVER_PORTS = 1024 };
    return packet->ports_known && packet->source_port < SERVER_PORTS && packet->target_port >= SERVER_PORTS;
}

static void observe_udp(struct evidence *evidence, struct observed *of, unsigned facts)
{
    const struct packet *packet = of->packet;
    bool unasked = (facts & OBSERVED_RECEIVER_SENT) == 0 && packet->ports_known &&
                   is_amplifier_port(packet->source_port);
    if (unasked) {
        of->from_server = true;
        count_to(evidence, TARGET_UNASKED, 0, of);
        of->from_server = false;
    }
    if (!is_sampled_udp(packet, of->hash_seed))
        return;
    of->packets = UDP_SAMPLED;
    if (is_download(packet))
        count_from(evidence, TARGET_UDP, &packet->source, of);
    else
        count_both(evidence, TARGET_UDP, of);
}

void observe_closely(struct evidence *evidence, unsigned partition, const struct packet *packet,
                     unsigned facts, uint64_t hash_seed)
{
    assert(partition < FLOW_PARTITIONS);
    assert(packet->source.version != 0); // it has a flow
    if (address_is_multicast(&packet->target) || address_is_broadcast(&packet->target))
        return;
    struct observed of = {
        .packet = packet, .hash_seed = hash_seed, .packets = 1, .partition = (uint8_t)partition};
    if (packet->ip_protocol == IP_PROTOCOL_TCP)
        observe_tcp(evidence, &of, facts);
    else if (packet->ip_protocol == IP_PROTOCOL_UDP)
        observe_udp(evidence, &of, facts);
    else if (ip_protocol_is_icmp(packet->ip_protocol))
        count_both(evidence, TARGET_ICMP, &of);
}
