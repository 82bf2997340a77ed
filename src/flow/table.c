#include "flow/table.h"

#include <assert.h>
#include <string.h>

#include "base/time.h"
#include "flow/arrival.h"
#include "flow/mirror.h"

static const int64_t owner_silence_ns = 5 * NS_PER_S; // after which another interface may own a direction

static __attribute__((noinline)) uint32_t search_flow(const struct flow_table *table,
                                                      const struct flow_key *key, uint64_t hash)
{
    struct index_walk walk = {0};
    uint32_t id;
    while ((id = flow_index_next(&table->index, hash, &walk)) != 0)
        if (flow_has_key(&table->store, flow_at(&table->store, id), key))
            return id;
    return 0;
}

// A flow that ends stays where it is until the end of the tick: the hint, too, is right or another flow.
static inline uint32_t find_flow(const struct flow_table *table, const struct flow_key *key, uint64_t hash,
                                 uint32_t hint)
{
    const struct flow *flow = hint != 0 ? flow_at(&table->store, hint) : NULL;
    if (flow != NULL && (flow->marks & FLOW_MARK_ENDED) == 0 && flow_has_key(&table->store, flow, key))
        return hint;
    return search_flow(table, key, hash);
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
    enum idle_class kind = flow_class_of(flow), before = flow->idle_class;
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
    if (extra == NULL)
        return;
    extra->clock_offset_ns = offset_ns;
    if (offset_ns != 0)
        flow->extra |= FLOW_EXTRA_FOLLOWS;
}

static inline void follow_tcp(struct flow_table *table, const struct packet *packet, enum tcp_kin kin,
                              struct flow_hit *hit)
{
    struct flow *flow = hit->flow;
    uint8_t sender = hit->sender;
    if (kin == TCP_KIN_CHALLENGE)
        return;
    if (flow->tcp_state == TCP_STATE_NONE && (packet->tcp.flags & TCP_SYN) != 0)
        flow_begin_client(flow, packet, sender); // parts of its datagram may have come before
    if (packet->payload_length != 0)
        hit->place = (uint8_t)flow_place_segment(&table->store, flow, packet, sender, &hit->stream_first);
    bool twice = false;
    if (flow_policy_has_quality(&table->policy) && kin == TCP_KIN_RETRY)
        tcp_measure_retry(&table->store, hit->id, packet, sender, &table->policy);
    else if (flow_policy_has_quality(&table->policy))
        twice = tcp_measure(&table->store, hit->id, packet, sender, &table->policy);
    hit->handshake_done = tcp_completes_handshake(flow->tcp_flags[sender], packet);
    hit->went_on =
        !hit->peer_sent && flow->packets[sender] == 2 && tcp_goes_on(flow->tcp_flags[sender], packet);
    bool is_second_word = !twice || flow->tcp_state != TCP_STATE_UNKNOWN;
    if (is_second_word)
        tcp_track_state(flow, packet, sender);
}

// What few flows have to keep up to date.
static void follow_extra(struct flow_table *table, struct flow *flow, uint32_t id,
                         const struct packet *packet, int64_t at_ns)
{
    tcp_outlive_challenge(&table->store, flow, at_ns);
    follow_clock(table, flow, packet->clock_offset_ns);
    report_active(table, flow, id, at_ns);
}

// Its time may not stay this flow's: no record is made of it.
static void note_challenge(struct flow_table *table, struct flow *flow, const struct packet *packet,
                           uint8_t sender, int64_t at_ns)
{
    tcp_note_challenge(&table->store, flow, packet, sender, at_ns);
    follow_clock(table, flow, packet->clock_offset_ns);
}

// A packet of the flow that is hit, which is no second sighting of what is counted once.
static inline void take_packet(struct flow_table *table, const struct packet *packet, uint64_t hash,
                               enum tcp_kin kin, struct flow_hit *hit)
{
    struct flow *flow = hit->flow;
    int64_t at_ns = packet->time_ns + packet->clock_offset_ns;
    uint8_t sender = hit->sender, state = flow->tcp_state;
    bool first = flow->bytes[sender] == 0;
    if (hit->joined)
        flow_mirror_join(table, flow, sender);
    hit->peer_sent = flow->packets[!sender] != 0;
    if (at_ns - flow->last_ns > TCP_LONGEST_RTT_NS)
        tcp_rest(&table->store, flow);
    if (kin == TCP_KIN_CHALLENGE)
        note_challenge(table, flow, packet, sender, at_ns);
    else if ((flow->extra & FLOW_EXTRA_FOLLOWS) != 0 || packet->clock_offset_ns != 0 ||
             table->policy.active_timeout_ns != 0)
        follow_extra(table, flow, hit->id, packet, at_ns);
    count_packet(table, flow, packet, sender);
    if (flow->protocol == IP_PROTOCOL_TCP && packet->has_transport)
        follow_tcp(table, packet, kin, hit);
    if (at_ns > flow->last_ns)
        flow->last_ns = at_ns;
    if (first || flow->tcp_state != state)
        reclassify(table, flow_table_partition(table, hash), flow, hit->id);
}

void flow_table_packet(struct flow_table *table, const struct packet *packet, const struct flow_key *key,
                       uint64_t hash, struct flow_hit *hit)
{
    int64_t at_ns = packet->time_ns + packet->clock_offset_ns;
    uint8_t sender = hit->sender;
    enum tcp_kin kin = TCP_KIN_OWN;
    uint32_t id = find_flow(table, key, hash, hit->id);
    *hit = (struct flow_hit){.sender = sender};
    if (id == 0 || arrival_is_in_doubt(table, flow_at(&table->store, id), packet, at_ns)) {
        struct arrival arrival = {
            .packet = packet, .key = key, .hash = hash, .found_hash = hash, .at_ns = at_ns, .sender = sender};
        id = arrival_settle(table, id, &arrival, hit, &kin);
        if (id == 0)
            return;
    }
    struct flow *flow = flow_at(&table->store, id);
    hit->flow = flow;
    hit->id = id;
    if (key->tunnel_kind != TUNNEL_NONE)
        flow_note_tunnel(table, flow, &packet->tunnel);
    hit->second_sighting = sight(table, flow, packet, sender, at_ns);
    hit->duplicate = hit->second_sighting && table->policy.observe_first;
    if (!hit->duplicate)
        take_packet(table, packet, hash, kin, hit);
}
