#include "flow/arrival.h"

#include <assert.h>

#include "flow/client.h"
#include "flow/mirror.h"

static void set_client(struct flow *flow, enum client_from from, int side)
{
    flow->client_from = from & 0xf;
    flow->marks = (uint8_t)((flow->marks & ~FLOW_MARK_CLIENT_B) | (side != 0 ? FLOW_MARK_CLIENT_B : 0));
}

void flow_begin_client(struct flow *flow, const struct packet *packet, uint8_t sender)
{
    struct flow_opener opener = flow_opener_of(packet);
    set_client(flow, opener.from, opener.is_sender ? sender : !sender);
    if (opener.from == CLIENT_SYN)
        flow->quality = packet->tcp.sequence;
}

static void begin_extra(struct flow_table *table, struct flow *flow, const struct packet *packet,
                        int64_t at_ns)
{
    const struct flow_policy *policy = &table->policy;
    bool wanted = policy->observe_first || policy->active_timeout_ns != 0 || at_ns != packet->time_ns ||
                  packet->tunnel.kind != TUNNEL_NONE;
    struct flow_extra *extra = wanted ? flow_need_extra(&table->store, flow) : NULL;
    if (extra == NULL)
        return;
    if (policy->active_timeout_ns != 0)
        extra->next_active_ns = at_ns + policy->active_timeout_ns;
    extra->clock_offset_ns = at_ns - packet->time_ns;
    if (extra->clock_offset_ns != 0)
        flow->extra |= FLOW_EXTRA_FOLLOWS;
    if (packet->tunnel.kind == TUNNEL_NONE)
        return;
    extra->tunnel.id = packet->tunnel.id; // the kind came with the key
    extra->tunnel.source = packet->tunnel.source;
    extra->tunnel.target = packet->tunnel.target;
}

// Among flows that may share key and beginning, see flow_partition.
static void number_flow(struct flow_table *table, const struct flow_partition *partition, struct flow *flow,
                        int64_t at_ns)
{
    if (at_ns > partition->latest_over_ns)
        return;
    struct flow_extra *extra = flow_need_extra(&table->store, flow);
    if (extra != NULL)
        extra->ordinal = partition->over;
}

static uint32_t make_flow(struct flow_table *table, struct flow_partition *partition,
                          const struct arrival *arrival)
{
    const struct packet *packet = arrival->packet;
    int64_t at_ns = arrival->at_ns;
    if (partition->max_flows != 0 && partition->flows >= partition->max_flows)
        flow_evict_one(table, partition, packet->now_ns);
    uint32_t id = flow_store_add(&table->store, arrival->key);
    if (id == 0)
        return 0;
    if (!flow_index_insert(&table->index, arrival->hash, id)) {
        flow_store_remove(&table->store, id);
        return 0;
    }
    struct flow *flow = flow_at(&table->store, id);
    flow_ends_at(&table->store, id)->first_ns = flow->last_ns = at_ns;
    if (at_ns > table->newest_ns)
        table->newest_ns = at_ns;
    if (packet->vlans != 0) {
        flow->marks |= FLOW_MARK_VLAN;
        flow->vlan = packet->vlan[0];
    }
    flow_begin_client(flow, packet, arrival->sender);
    begin_extra(table, flow, packet, at_ns);
    if (arrival->key->tunnel_kind != TUNNEL_NONE)
        flow_mirror_add(table, id);
    number_flow(table, partition, flow, at_ns);
    flow->idle_class = flow_class_of(flow) & 0xf;
    flow_file(table, partition, id);
    flow_await_look(table, partition, id);
    partition->flows++;
    partition->attempts += flow->idle_class < IDLE_ATTEMPTS;
    table->counts.created++;
    if (table->policy.begun)
        ended_list_add(&table->ended, id | FLOW_ID_BEGUN);
    return id;
}

static void end_former(struct flow_table *table, struct flow_partition *partition, uint32_t id,
                       const struct arrival *arrival, enum end_reason reason)
{
    flow_unfile(table, partition, id);
    flow_end(table, partition, id, arrival->found_hash, reason, arrival->packet->now_ns);
}

// Gives a SYN that was answered the flow of its own that it began, and takes it out of the one that had its key.
static uint32_t move_challenge(struct flow_table *table, struct flow_partition *partition, uint32_t former_id,
                               const struct arrival *answer)
{
    struct flow *former = flow_at(&table->store, former_id);
    struct flow_extra *extra = flow_extra(&table->store, former);
    struct tcp_challenge challenge = extra->challenge;
    extra->challenge.packets = 0;
    assert(challenge.packets != 0 && former->packets[challenge.side] >= challenge.packets &&
           former->bytes[challenge.side] >= challenge.bytes);
    former->packets[challenge.side] -= challenge.packets;
    former->bytes[challenge.side] -= challenge.bytes;
    former->last_ns = challenge.rested_ns;
    assert(extra->interim_ns <= former->last_ns); // its records leave in the order of their times
    uint16_t owner = former->owner[challenge.side];
    end_former(table, partition, former_id, answer, END_REUSE);

    struct packet syn = *answer->packet;
    syn.time_ns = challenge.first_ns - syn.clock_offset_ns;
    syn.tcp = (struct packet_tcp){.flags = TCP_SYN, .sequence = challenge.sequence};
    if (syn.tunnel.kind != TUNNEL_NONE) { // it came the other way
        syn.tunnel.source = answer->packet->tunnel.target;
        syn.tunnel.target = answer->packet->tunnel.source;
    }
    struct arrival first = {.packet = &syn,
                            .key = answer->key,
                            .hash = answer->hash,
                            .found_hash = answer->hash,
                            .at_ns = challenge.first_ns,
                            .sender = challenge.side};
    uint32_t id = make_flow(table, partition, &first);
    if (id == 0)
        return 0;
    struct flow *flow = flow_at(&table->store, id);
    flow->owner[challenge.side] = owner;
    flow->packets[challenge.side] = challenge.packets;
    flow->bytes[challenge.side] = challenge.bytes;
    flow->tcp_flags[challenge.side] = TCP_SYN;
    flow->tcp_state = TCP_STATE_SYN_SENT;
    return id;
}

// The packet's flow, where it is in doubt whether it is the one that has its key: that one or a new one. *kin is told.
static uint32_t settle_flow(struct flow_table *table, struct flow_partition *partition, uint32_t id,
                            const struct arrival *arrival, enum tcp_kin *kin)
{
    const struct flow *flow = flow_at(&table->store, id);
    enum end_reason reason = END_REUSE;
    if (flow_has_timed_out(table, flow, arrival->at_ns))
        reason = flow_reason_when_idle(flow);
    else
        *kin = tcp_kin(&table->store, flow, arrival->packet, arrival->sender, arrival->at_ns - flow->last_ns);
    if (reason == END_REUSE && (*kin == TCP_KIN_OWN || *kin == TCP_KIN_CHALLENGE))
        return id;
    if (*kin == TCP_KIN_ANSWER)
        return move_challenge(table, partition, id, arrival);
    end_former(table, partition, id, arrival, reason);
    return make_flow(table, partition, arrival);
}

// The flow of another form that the packet belongs to; see mirror.h.
static uint32_t find_mirror(const struct flow_table *table, const struct arrival *arrival)
{
    if (arrival->key->tunnel_kind == TUNNEL_NONE && table->mirrors.entries == 0)
        return 0;
    return flow_mirror_find(table, arrival->packet, arrival->key, arrival->sender);
}

uint32_t arrival_settle(struct flow_table *table, uint32_t found, struct arrival *arrival,
                        struct flow_hit *hit, enum tcp_kin *kin)
{
    struct flow_partition *partition = flow_table_partition(table, arrival->hash);
    uint32_t mirror = found == 0 ? find_mirror(table, arrival) : 0, id = found != 0 ? found : mirror;
    if (mirror != 0)
        arrival->found_hash = flow_table_hash(table, mirror);
    if (id == 0)
        id = make_flow(table, partition, arrival);
    else if (arrival_is_in_doubt(table, flow_at(&table->store, id), arrival->packet, arrival->at_ns))
        id = settle_flow(table, partition, id, arrival, kin);
    hit->joined = mirror != 0 && id == mirror;
    table->counts.refused += id == 0;
    return id;
}
