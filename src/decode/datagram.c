#include "decode/datagram.h"

#include <string.h>

static void add_tunnel(struct datagram *datagram, const struct packet_tunnel *tunnel)
{
    datagram->tunnel_kind = tunnel->kind;
    if (tunnel->kind == TUNNEL_NONE) // nothing else of it is written
        return;
    datagram->tunnel_id = tunnel->id;
    datagram->tunnel_version[0] = tunnel->source.version;
    datagram->tunnel_version[1] = tunnel->target.version;
    memcpy(datagram->tunnel_source, tunnel->source.bytes, sizeof datagram->tunnel_source);
    memcpy(datagram->tunnel_target, tunnel->target.bytes, sizeof datagram->tunnel_target);
}

struct datagram datagram_of(const struct packet *packet)
{
    struct datagram datagram = {
        .id = packet->fragment_id,
        .version = packet->source.version,
        .protocol = packet->fragment_protocol,
        .vlan = packet->vlans > 0 ? packet->vlan[0] : 0,
    };
    // IPv6 keeps the protocol apart: a later fragment names the first header of the fragmented part,
    // which need not be the transport (RFC 8200 section 4.5 identifies without it).
    if (packet->source.version == 6)
        datagram.protocol = 0;
    memcpy(datagram.source, packet->source.bytes, sizeof datagram.source);
    memcpy(datagram.target, packet->target.bytes, sizeof datagram.target);
    add_tunnel(&datagram, &packet->tunnel);
    return datagram;
}
