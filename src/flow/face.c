#include "flow/face.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

wide_number flow_face_number(const uint8_t *bytes, uint8_t version)
{
    if (version == 4) {
        uint32_t number;
        memcpy(&number, bytes, sizeof number);
        return ntohl(number);
    }
    uint64_t words[2];
    memcpy(words, bytes, sizeof words);
    return (wide_number)be64toh(words[0]) << 64 | be64toh(words[1]);
}

static bool has_ports(uint8_t protocol)
{
    return protocol == IP_PROTOCOL_TCP || protocol == IP_PROTOCOL_UDP || protocol == IP_PROTOCOL_SCTP;
}

void flow_face_of_node(const struct flow_store *store, uint32_t id, bool ends, struct flow_face *face)
{
    const struct flow *flow = flow_at(store, id);
    uint8_t version = (flow->marks & FLOW_MARK_V6) != 0 ? 6 : 4;
    face->address[0] = flow_face_number(flow->addresses, version);
    face->address[1] = flow_face_number(flow->addresses + (version == 6 ? 16 : 4), version);
    face->bytes = flow->bytes[0] + flow->bytes[1];
    face->packets = (uint64_t)flow->packets[0] + flow->packets[1];
    face->first_ns = ends ? flow_ends_at(store, id)->first_ns : flow->last_ns;
    face->last_ns = flow->last_ns;
    face->port[0] = flow->ports[0];
    face->port[1] = flow->ports[1];
    face->interface = (uint16_t)((flow->owner[0] != 0 ? flow->owner[0] : flow->owner[1]) - 1);
    face->vlan = flow->vlan;
    face->version = version;
    face->protocol = flow->protocol;
    face->tcp_state = flow->tcp_state;
    face->client = (flow->marks & FLOW_MARK_CLIENT_B) != 0;
    face->has_ports = has_ports(flow->protocol);
    face->has_vlan = (flow->marks & FLOW_MARK_VLAN) != 0;
    face->has_tunnel = (flow->marks & FLOW_MARK_TUNNEL) != 0;
    face->has_extra = flow->extra != 0;
    face->has_quality = (flow->marks & (FLOW_MARK_QUALITY | FLOW_MARK_OPENING)) != 0;
}

void flow_face_of_record(const struct flow_record *record, struct flow_face *face)
{
    *face = (struct flow_face){
        .bytes = record->bytes[0] + record->bytes[1],
        .packets = record->packets[0] + record->packets[1],
        .first_ns = record->first_seen_ns,
        .last_ns = record->last_seen_ns,
        .interface = record->interface,
        .vlan = record->vlan,
        .version = record->endpoint[0].address.version,
        .protocol = record->protocol,
        .tcp_state = record->tcp_state,
        .client = record->client,
        .has_ports = has_ports(record->protocol),
        .has_vlan = record->has_vlan,
        .has_tunnel = record->tunnel.kind != TUNNEL_NONE,
        .has_extra = true,
        .has_quality = record->has_quality,
    };
    for (int side = 0; side < 2; side++) {
        face->address[side] = flow_face_number(record->endpoint[side].address.bytes, face->version);
        face->port[side] = record->endpoint[side].port;
    }
}
