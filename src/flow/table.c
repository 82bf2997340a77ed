#include "flow/table.h"

#include <assert.h>
#include <string.h>

#include "base/time.h"
#include "flow/client.h"
#include "flow/ending.h"
#include "flow/mirror.h"
#include "flow/tcp.h"

static const int64_t owner_silence_ns = 5 * NS_PER_S; // after which another interface may own a direction

uint64_t flow_table_hash(const void *owner, uint32_t id)
{
    const struct flow_table *table = owner;
    const struct flow *flow = flow_at(&table->store, id);
    if ((flow->marks & (FLOW_MARK_V6 | FLOW_MARK_TUNNEL)) == 0)
        return flow_key_hash_v4(flow->addresses, flow->ports, flow->protocol, table->policy.index_seed);
    struct flow_key key;
    flow_key_of(&table->store, flow, &key);
    return flow_key_hash(&key, table->policy.index_seed);
}

// Finding and making.

// A flow that ends stays where it is until the end of the tick: the hint, too, is right or another flow.
static uint32_t find_flow(const struct flow_table *table, const struct flow_key *key, uint64_t hash,
                          uint32_t hint)
{
    uint32_t id = hint;
    if (id != 0) {
        const struct flow *flow = flow_at(&table->store, id);
        if ((flow->marks & FLOW_MARK_ENDED) == 0 && flow_has_key(&table->store, flow, key))
            return id;
    }
    struct index_walk walk = {0};
    while ((id = flow_index_next(&table->index, hash, &walk)) != 0)
        if (flow_has_key(&table->store, flow_at(&table->store, id), key))
            return id;
    return 0;
}

static enum idle_class class_of(const struct flow *flow)
{
    bool answered = flow_answered(flow);
    switch (flow->protocol) {
    case IP_PROTOCOL_TCP:
        if (flow->tcp_state == TCP_STATE_CLOSED || flow->tcp_state == TCP_STATE_RESET)
            return IDLE_CLOSED;
        if (flow->tcp_state >= TCP_STATE_ESTABLISHED)
            return IDLE_ESTABLISHED;
        return answered ? IDLE_TCP : IDLE_ATTEMPT_TCP;
    case IP_PROTOCOL_UDP:
        return answered ? IDLE_UDP : IDLE_ATTEMPT_UDP;
    case IP_PROTOCOL_ICMP:
    case IP_PROTOCOL_ICMPV6:
        return answered ? IDLE_ICMP : IDLE_ATTEMPT_ICMP;
    default:
        return answered ? IDLE_OTHER : IDLE_ATTEMPT_OTHER;
    }
}

static void set_client(struct flow *flow, enum client_from from, int side)
{
    flow->client_from = from & 0xf;
    flow->marks = (uint8_t)((flow->marks & ~FLOW_MARK_CLIENT_B) | (side != 0 ? FLOW_MARK_CLIENT_B : 0));
}

static void begin_client(struct flow *flow, const struct packet *packet, uint8_t sender)
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

// A packet and whose it is.
struct arrival {
    const struct packet *packet;
    const struct flow_key *key;
    uint64_t hash, found_hash; // of its key; of the flow that was found, whose key may be of another form
    int64_t at_ns;             // flow time
    uint8_t sender;
};

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
    begin_client(flow, packet, arrival->sender);
    begin_extra(table, flow, packet, at_ns);
    if (arrival->key->tunnel_kind != TUNNEL_NONE)
        flow_mirror_add(table, id);
    number_flow(table, partition, flow, at_ns);
    flow->idle_class = class_of(flow) & 0xf;
    flow_file(table, partition, id);
    flow_await_look(table, partition, id);
    partition->flows++;
    partition->attempts += flow->idle_class < IDLE_ATTEMPTS;
    table->counts.created++;
    if (table->policy.begun)
        ended_list_add(&table->ended, id | FLOW_ID_BEGUN);
    return id;
}

// Counting.

static void note_interface(struct flow_extra *extra, uint16_t interface)
{
    for (unsigned i = 0; i < extra->observed; i++)
        if (extra->observed_at[i] == interface)
            return;
    if (extra->observed < OBSERVED_INTERFACES)
        extra->observed_at[extra->observed++] = interface;
}

// Settles which interface owns the packet's direction. Returns whether this one is a second sighting.
static bool sight(struct flow_table *table, struct flow *flow, const struct packet *packet, uint8_t sender,
                  int64_t at_ns)
{
    uint16_t interface = (uint16_t)(packet->interface + 1);
    bool first_only = table->policy.observe_first;
    struct flow_extra *extra = flow_extra(&table->store, flow);
    if (flow->owner[sender] == 0)
        flow->owner[sender] = interface;
    if (flow->owner[sender] != interface) {
        extra = flow_need_extra(&table->store, flow);
        if (extra == NULL)
            return true;
        if (!first_only || at_ns - extra->owner_last_ns[sender] < owner_silence_ns) {
            note_interface(extra, packet->interface);
            return true;
        }
        note_interface(extra, (uint16_t)(flow->owner[sender] - 1));
        flow->owner[sender] = interface;
    }
    if (first_only && extra != NULL)
        extra->owner_last_ns[sender] = at_ns;
    return false;
}

static void carry_packets(struct flow_table *table, struct flow *flow, uint8_t sender)
{
    struct flow_extra *extra = flow_need_extra(&table->store, flow);
    if (extra != NULL)
        extra->packets_above[sender]++;
}

static void count_packet(struct flow_table *table, struct flow *flow, const struct packet *packet,
                         uint8_t sender)
{
    if (++flow->packets[sender] == 0)
        carry_packets(table, flow, sender);
    flow->bytes[sender] += packet->length;
}

static bool is_sooner(int64_t timeout_ns, int64_t other_ns)
{
    return timeout_ns != 0 && (other_ns == 0 || timeout_ns < other_ns);
}

// Follows a change of class. The flow stays on its wheel when that comes up soon enough: it goes to the other
// one then.
static void reclassify(struct flow_table *table, struct flow_partition *partition, struct flow *flow,
                       uint32_t id)
{
    enum idle_class kind = class_of(flow), before = flow->idle_class;
    if (kind == before)
        return;
    partition->attempts -= before < IDLE_ATTEMPTS && kind >= IDLE_ATTEMPTS;
    flow->idle_class = kind & 0xf;
    if (kind == IDLE_CLOSED && flow_answered(flow))
        flow_look_at(table, partition, id, flow->last_ns);
    if (!is_sooner(table->timeout_ns[kind], table->timeout_ns[flow->wheel]))
        return;
    flow_unfile(table, partition, id);
    flow_file(table, partition, id);
}

// When the flow's next interim record is due. A flow that began before they were asked for gets its time here.
static struct flow_extra *await_active(struct flow_table *table, struct flow *flow, uint32_t id)
{
    struct flow_extra *extra = flow_need_extra(&table->store, flow);
    if (extra != NULL && extra->next_active_ns == 0)
        extra->next_active_ns = flow_ends_at(&table->store, id)->first_ns + table->policy.active_timeout_ns;
    return extra;
}

// An interim record that is due. What a second one within the tick would say, the first one says too.
static void report_active(struct flow_table *table, struct flow *flow, uint32_t id, int64_t at_ns)
{
    if (table->policy.active_timeout_ns == 0)
        return;
    struct flow_extra *extra = await_active(table, flow, id);
    if (extra == NULL || at_ns < extra->next_active_ns)
        return;
    extra->next_active_ns = at_ns + table->policy.active_timeout_ns;
    if (extra->interim_ns != 0 || !ended_list_add(&table->ended, id | FLOW_ID_INTERIM))
        return;
    extra->interim_ns = at_ns;
    table->counts.ended[END_ACTIVE]++;
}

static void follow_clock(struct flow_table *table, struct flow *flow, int64_t offset_ns)
{
    struct flow_extra *extra = flow_extra(&table->store, flow);
    if (extra == NULL && offset_ns != 0)
        extra = flow_need_extra(&table->store, flow);
    if (extra != NULL)
        extra->clock_offset_ns = offset_ns;
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
__attribute__((noinline)) static uint32_t settle_flow(struct flow_table *table,
                                                      struct flow_partition *partition, uint32_t id,
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

// Whether the flow that has the packet's key may not be the packet's flow.
static bool is_in_doubt(const struct flow_table *table, const struct flow *flow, const struct packet *packet,
                        int64_t at_ns)
{
    return flow_has_timed_out(table, flow, at_ns) ||
           (flow->protocol == IP_PROTOCOL_TCP && (packet->tcp.flags & TCP_SYN) != 0);
}

static void follow_tcp(struct flow_table *table, uint32_t id, const struct packet *packet, uint8_t sender,
                       enum tcp_kin kin, struct flow_hit *hit)
{
    struct flow *flow = hit->flow;
    if (kin == TCP_KIN_CHALLENGE)
        return;
    if (flow->tcp_state == TCP_STATE_NONE && (packet->tcp.flags & TCP_SYN) != 0)
        begin_client(flow, packet, sender); // parts of its datagram may have come before
    if (packet->payload_length != 0)
        hit->place = (uint8_t)flow_place_segment(&table->store, flow, packet, sender, &hit->stream_first);
    bool twice = false;
    if (flow_policy_has_quality(&table->policy) && kin == TCP_KIN_RETRY)
        tcp_measure_retry(&table->store, id, packet, sender, &table->policy);
    else if (flow_policy_has_quality(&table->policy))
        twice = tcp_measure(&table->store, id, packet, sender, &table->policy);
    hit->handshake_done = tcp_completes_handshake(flow->tcp_flags[sender], packet);
    hit->went_on =
        !hit->peer_sent && flow->packets[sender] == 2 && tcp_goes_on(flow->tcp_flags[sender], packet);
    bool is_second_word = !twice || flow->tcp_state != TCP_STATE_UNKNOWN;
    if (is_second_word)
        tcp_track_state(flow, packet, sender);
}

// The flow of another form that the packet belongs to, and its own hash; see mirror.h.
static uint32_t find_mirror(struct flow_table *table, const struct packet *packet, const struct flow_key *key,
                            uint8_t sender, uint64_t *hash)
{
    if (key->tunnel_kind == TUNNEL_NONE && table->mirrors.entries == 0)
        return 0;
    uint32_t id = flow_mirror_find(table, packet, key, sender);
    if (id != 0)
        *hash = flow_table_hash(table, id);
    return id;
}

struct flow_hit flow_table_packet(struct flow_table *table, const struct packet *packet,
                                  const struct flow_key *key, uint64_t hash, uint8_t sender, uint32_t hint)
{
    struct flow_partition *partition = flow_table_partition(table, hash);
    int64_t at_ns = packet->time_ns + packet->clock_offset_ns;
    struct flow_hit hit = {.sender = sender};
    enum tcp_kin kin = TCP_KIN_OWN;
    uint32_t id = find_flow(table, key, hash, hint);
    struct arrival arrival = {
        .packet = packet, .key = key, .hash = hash, .found_hash = hash, .at_ns = at_ns, .sender = sender};
    if (id == 0)
        hit.joined = (id = find_mirror(table, packet, key, sender, &arrival.found_hash)) != 0;
    uint32_t found = id;
    if (id == 0)
        id = make_flow(table, partition, &arrival);
    else if (is_in_doubt(table, flow_at(&table->store, id), packet, at_ns))
        id = settle_flow(table, partition, id, &arrival, &kin);
    hit.joined &= id == found;
    table->counts.refused += id == 0;
    if (id == 0)
        return hit;
    struct flow *flow = hit.flow = flow_at(&table->store, id);
    hit.id = id;
    if (key->tunnel_kind != TUNNEL_NONE)
        flow_note_tunnel(table, flow, &packet->tunnel);
    hit.second_sighting = sight(table, flow, packet, sender, at_ns);
    hit.duplicate = hit.second_sighting && table->policy.observe_first;
    if (hit.duplicate)
        return hit;

    if (hit.joined)
        flow_mirror_join(table, flow, sender);
    hit.peer_sent = flow->packets[!sender] != 0;
    if (at_ns - flow->last_ns > TCP_LONGEST_RTT_NS)
        tcp_rest(&table->store, flow);
    if (kin == TCP_KIN_CHALLENGE)
        tcp_note_challenge(&table->store, flow, packet, sender, at_ns);
    else
        tcp_outlive_challenge(&table->store, flow, at_ns);
    count_packet(table, flow, packet, sender);
    follow_clock(table, flow, packet->clock_offset_ns);
    if (flow->protocol == IP_PROTOCOL_TCP && packet->has_transport)
        follow_tcp(table, id, packet, sender, kin, &hit);
    if (at_ns > flow->last_ns)
        flow->last_ns = at_ns;
    reclassify(table, partition, flow, id);
    if (kin != TCP_KIN_CHALLENGE) // whose time may not stay this flow's
        report_active(table, flow, id, at_ns);
    return hit;
}
