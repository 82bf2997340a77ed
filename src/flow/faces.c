#include "flow/faces.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <string.h>

#include "flow/table.h"
#include "flow/tcp.h"

static uint32_t number_v4(const uint8_t *bytes)
{
    uint32_t number;
    memcpy(&number, bytes, sizeof number);
    return ntohl(number);
}

static wide_number number_v6(const uint8_t *bytes)
{
    uint64_t words[2];
    memcpy(words, bytes, sizeof words);
    return (wide_number)be64toh(words[0]) << 64 | be64toh(words[1]);
}

uint64_t flow_key_prefix(uint8_t protocol, uint8_t version, const uint8_t *address)
{
    uint64_t six = version == 4 ? (uint64_t)number_v4(address) << 16 : (uint64_t)(number_v6(address) >> 80);
    return (uint64_t)protocol << 56 | (uint64_t)version << 48 | six;
}

wide_number flow_address_number(const uint8_t *bytes, uint8_t version)
{
    return version == 4 ? number_v4(bytes) : number_v6(bytes);
}

static uint64_t has_ports(uint8_t protocol)
{
    return protocol == IP_PROTOCOL_TCP || protocol == IP_PROTOCOL_UDP || protocol == IP_PROTOCOL_SCTP;
}

static void add_addresses(struct flow_faces *faces, unsigned i, const uint8_t *a, const uint8_t *b)
{
    if (faces->version == 4) {
        faces->address.v4[0][i] = number_v4(a);
        faces->address.v4[1][i] = number_v4(b);
    } else {
        faces->address.v6[0][i] = number_v6(a);
        faces->address.v6[1][i] = number_v6(b);
    }
}

static void add_fields(struct flow_faces *faces, unsigned i, const struct flow *flow)
{
    add_addresses(faces, i, flow->addresses, flow->addresses + (faces->version == 6 ? 16 : 4));
    faces->port[0][i] = flow->ports[0];
    faces->port[1][i] = flow->ports[1];
    faces->protocol[i] = flow->protocol;
    faces->tcp_state[i] = flow->tcp_state;
    faces->interface[i] = (uint16_t)((flow->owner[0] != 0 ? flow->owner[0] : flow->owner[1]) - 1);
    faces->vlan[i] = flow->vlan;
    faces->ports |= has_ports(flow->protocol) << i;
    faces->client |= (uint64_t)((flow->marks & FLOW_MARK_CLIENT_B) != 0) << i;
    faces->roles |= UINT64_C(1) << i;
    faces->tagged |= (uint64_t)((flow->marks & FLOW_MARK_VLAN) != 0) << i;
    faces->tunnel |= (uint64_t)((flow->marks & FLOW_MARK_TUNNEL) != 0) << i;
}

static uint32_t retransmissions_of(const struct flow_store *store, const struct tcp_side *side)
{
    const struct tcp_trouble *trouble = flow_trouble(store, side);
    return trouble != NULL ? trouble->retransmissions : 0;
}

// A handshake, which carries no data, has neither: flows in it need no look at their part.
static void add_quality(struct flow_faces *faces, unsigned i, const struct flow_table *table,
                        const struct flow *flow)
{
    const struct tcp_quality *quality = flow_quality(&table->store, flow);
    faces->counted |= (uint64_t)(flow->protocol == IP_PROTOCOL_TCP && table->policy.retransmissions) << i;
    faces->rtt_ns[i] = faces->retransmissions[i] = 0;
    if (quality == NULL)
        return;
    const struct tcp_rtt *rtt = tcp_far_rtt(quality);
    faces->rtt_ns[i] = (uint64_t)rtt->ewma * TCP_STEP_NS;
    faces->rtt |= (uint64_t)(table->policy.rtt && rtt->samples > 0) << i;
    faces->retransmissions[i] = (uint64_t)retransmissions_of(&table->store, &quality->side[0]) +
                                retransmissions_of(&table->store, &quality->side[1]);
}

void flow_faces_add(struct flow_faces *faces, const struct flow_table *table, uint32_t id, unsigned parts)
{
    const struct flow *flow = flow_at(&table->store, id);
    unsigned i = faces->count++;
    assert(i < FLOW_FACES && ((id & FLOW_ID_V6) != 0) == (faces->version == 6));
    faces->id[i] = id;
    faces->key_prefix[i] = flow_key_prefix(flow->protocol, faces->version, flow->addresses);
    faces->bytes[i] = flow->bytes[0] + flow->bytes[1];
    faces->packets[i] = (uint64_t)flow->packets[0] + flow->packets[1];
    faces->last_ns[i] = flow->last_ns;
    faces->extra |= (uint64_t)(flow->extra != 0) << i;
    if ((parts & FLOW_FACE_FIELDS) != 0)
        add_fields(faces, i, flow);
    if ((parts & FLOW_FACE_ENDS) != 0)
        faces->first_ns[i] = flow_ends_at(&table->store, id)->first_ns;
    if ((parts & FLOW_FACE_QUALITY) != 0)
        add_quality(faces, i, table, flow);
}

void flow_faces_add_record(struct flow_faces *faces, const struct flow_record *record)
{
    unsigned i = faces->count++;
    assert(i < FLOW_FACES);
    faces->bytes[i] = record->bytes[0] + record->bytes[1];
    faces->packets[i] = record->packets[0] + record->packets[1];
    faces->first_ns[i] = record->first_seen_ns;
    faces->last_ns[i] = record->last_seen_ns;
    faces->rtt_ns[i] = (uint64_t)record->rtt_far.ewma_ns;
    faces->retransmissions[i] = record->retransmissions[0] + record->retransmissions[1];
    add_addresses(faces, i, record->endpoint[0].address.bytes, record->endpoint[1].address.bytes);
    faces->port[0][i] = record->endpoint[0].port;
    faces->port[1][i] = record->endpoint[1].port;
    faces->protocol[i] = record->protocol;
    faces->tcp_state[i] = record->tcp_state;
    faces->interface[i] = record->interface;
    faces->vlan[i] = record->vlan;
    faces->extra |= UINT64_C(1) << i;
    faces->rtt |= (uint64_t)(record->rtt_far.samples > 0) << i;
    faces->counted |= (uint64_t)flow_counts_retransmissions(record) << i;
    faces->ports |= has_ports(record->protocol) << i;
    faces->client |= (uint64_t)(record->client == 1) << i;
    faces->roles |= (uint64_t)(record->client >= 0) << i;
    faces->tagged |= (uint64_t)record->has_vlan << i;
    faces->tunnel |= (uint64_t)(record->tunnel.kind != TUNNEL_NONE) << i;
}
