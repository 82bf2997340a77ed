#include "flow/mirror.h"

#include <assert.h>
#include <string.h>

#include "flow/ending.h"

static void outside_key_of(const struct flow_store *store, const struct flow *flow, struct flow_key *key)
{
    flow_key_of(store, flow, key);
    flow_key_leave_tunnel(key);
}

uint64_t flow_mirror_hash(const void *owner, uint32_t id)
{
    const struct flow_table *table = owner;
    struct flow_key key;
    outside_key_of(&table->store, flow_at(&table->store, id), &key);
    return flow_key_hash(&key, table->policy.index_seed);
}

static bool is_inside(const struct flow_store *store, const struct flow *flow)
{
    return (flow->marks & FLOW_MARK_TUNNEL) != 0 && flow_extra(store, flow)->tunnel.key_kind != TUNNEL_NONE;
}

static bool is_alike(const struct flow_table *table, const struct flow *flow, const struct flow_key *outside)
{
    struct flow_key key;
    outside_key_of(&table->store, flow, &key);
    return memcmp(&key, outside, sizeof key) == 0;
}

// How many flows of these endpoints the index holds, as far as that matters. One that has timed out is gone: when it
// leaves depends on ticks.
static unsigned count_mirrors(const struct flow_table *table, const struct flow *flow, uint64_t hash)
{
    unsigned count = 0;
    struct flow_key outside;
    struct index_walk walk = {0};
    outside_key_of(&table->store, flow, &outside);
    for (uint32_t id; count < MIRRORS_MOST && (id = flow_index_next(&table->mirrors, hash, &walk)) != 0;) {
        const struct flow *other = flow_at(&table->store, id);
        count += is_alike(table, other, &outside) && !flow_has_timed_out(table, other, flow->last_ns);
    }
    return count;
}

void flow_mirror_add(struct flow_table *table, uint32_t id)
{
    const struct flow *flow = flow_at(&table->store, id);
    struct flow_extra *extra = flow_extra(&table->store, flow);
    uint64_t hash = flow_mirror_hash(table, id);
    assert(extra != NULL && !extra->mirrored);
    extra->mirrored =
        count_mirrors(table, flow, hash) < MIRRORS_MOST && flow_index_insert(&table->mirrors, hash, id);
}

void flow_mirror_remove(struct flow_table *table, uint32_t id)
{
    struct flow_extra *extra = flow_extra(&table->store, flow_at(&table->store, id));
    if (extra == NULL || !extra->mirrored)
        return;
    flow_index_remove(&table->mirrors, flow_mirror_hash(table, id), id);
    extra->mirrored = false;
}

static bool same_pair(const struct flow_tunnel *known, const struct packet_tunnel *seen)
{
    bool straight = address_compare(&known->source, &seen->source) == 0;
    const struct address *source = straight ? &known->source : &known->target;
    const struct address *target = straight ? &known->target : &known->source;
    return known->kind == seen->kind && address_compare(source, &seen->source) == 0 &&
           address_compare(target, &seen->target) == 0;
}

// The id that the direction of the packet was seen with besides that of the key.
static bool is_known_id(const struct flow_tunnel *known, const struct packet_tunnel *seen)
{
    return known->two_ids && known->peer_id == seen->id;
}

// How well a flow fits a packet of another form.
enum fit {
    FIT_NONE,
    FIT_OTHER_SIDE, // one of the two is inside a tunnel, the other outside
    FIT_INSIDE,     // both are inside, between the same outer endpoints
    FIT_JOINED,     // such packets were counted there before
};

static enum fit fit_inside(const struct flow *flow, const struct flow_tunnel *known, bool joined,
                           const struct packet *packet, uint8_t sender)
{
    if (!flow_tunnel_has_own_ids((enum tunnel_kind)packet->tunnel.kind))
        return FIT_NONE;
    if (joined && is_known_id(known, &packet->tunnel))
        return FIT_JOINED;
    return flow->bytes[sender] == 0 ? FIT_INSIDE : FIT_NONE;
}

// Where every observation counts, what another interface sees is another flow.
static enum fit fit_other_side(const struct flow_table *table, const struct flow *flow, bool joined,
                               const struct packet *packet, uint8_t sender)
{
    bool unseen = flow->bytes[sender] == 0, first_only = table->policy.observe_first;
    bool elsewhere = flow->owner[unseen ? !sender : sender] != packet->interface + 1;
    if (elsewhere && !first_only)
        return FIT_NONE;
    if (joined)
        return FIT_JOINED;
    return unseen || elsewhere ? FIT_OTHER_SIDE : FIT_NONE;
}

static enum fit fit_of(const struct flow_table *table, const struct flow *flow, const struct packet *packet,
                       uint8_t sender)
{
    const struct flow_extra *extra = flow_extra(&table->store, flow);
    bool packet_inside = packet->tunnel.kind != TUNNEL_NONE, flow_inside = is_inside(&table->store, flow);
    bool told = extra != NULL && extra->tunnel.kind != TUNNEL_NONE;
    if ((!packet_inside && !flow_inside) ||
        (packet_inside && told && !same_pair(&extra->tunnel, &packet->tunnel)))
        return FIT_NONE;
    bool joined = extra != NULL && (extra->joined >> sender & 1) != 0;
    return packet_inside && flow_inside ? fit_inside(flow, &extra->tunnel, joined, packet, sender)
                                        : fit_other_side(table, flow, joined, packet, sender);
}

// The flow that fits best, of those that were looked at.
struct choice {
    uint32_t id; // 0 = none
    enum fit fit;
};

static int compare_times(int64_t left, int64_t right)
{
    return (left > right) - (left < right);
}

static uint32_t ordinal_of(const struct flow_table *table, uint32_t id)
{
    const struct flow_extra *extra = flow_extra(&table->store, flow_at(&table->store, id));
    return extra != NULL ? extra->ordinal : 0;
}

// Of two that fit equally well: the one that was seen last. By what the flows are alone, for where they lie in an index
// depends on what else the shard has.
static bool is_better(const struct flow_table *table, uint32_t id, uint32_t than)
{
    const struct flow_store *store = &table->store;
    const struct flow *flow = flow_at(store, id), *other = flow_at(store, than);
    struct flow_key key, other_key;
    flow_key_of(store, flow, &key);
    flow_key_of(store, other, &other_key);
    int order = compare_times(flow->last_ns, other->last_ns);
    if (order == 0)
        order = flow_key_compare(&other_key, &key);
    if (order == 0)
        order = compare_times(flow_ends_at(store, id)->first_ns, flow_ends_at(store, than)->first_ns);
    return order != 0 ? order > 0 : ordinal_of(table, id) > ordinal_of(table, than);
}

static void choose_in(const struct flow_table *table, const struct flow_index *index,
                      const struct flow_key *outside, const struct packet *packet, uint8_t sender,
                      struct choice *choice)
{
    uint64_t hash = flow_key_hash(outside, table->policy.index_seed);
    int64_t at_ns = packet->time_ns + packet->clock_offset_ns;
    struct index_walk walk = {0};
    for (uint32_t id; (id = flow_index_next(index, hash, &walk)) != 0;) {
        const struct flow *flow = flow_at(&table->store, id);
        if (!is_alike(table, flow, outside) || flow_has_timed_out(table, flow, at_ns))
            continue;
        enum fit fit = fit_of(table, flow, packet, sender);
        if (fit > choice->fit || (fit == choice->fit && fit != FIT_NONE && is_better(table, id, choice->id)))
            *choice = (struct choice){.id = id, .fit = fit};
    }
}

uint32_t flow_mirror_find(const struct flow_table *table, const struct packet *packet,
                          const struct flow_key *key, uint8_t sender)
{
    struct flow_key outside = *key;
    struct choice choice = {0};
    flow_key_leave_tunnel(&outside);
    choose_in(table, &table->mirrors, &outside, packet, sender, &choice);
    if (key->tunnel_kind != TUNNEL_NONE)
        choose_in(table, &table->index, &outside, packet, sender, &choice);
    return choice.id;
}

void flow_mirror_join(struct flow_table *table, struct flow *flow, uint8_t sender)
{
    struct flow_extra *extra = flow_need_extra(&table->store, flow);
    if (extra != NULL)
        extra->joined |= (uint8_t)(1u << sender);
}

static void tell_tunnel(struct flow *flow, struct flow_tunnel *into, const struct packet_tunnel *tunnel)
{
    flow->marks |= FLOW_MARK_TUNNEL;
    into->kind = tunnel->kind;
    into->id = tunnel->id;
    into->source = tunnel->source;
    into->target = tunnel->target;
}

void flow_note_tunnel(struct flow_table *table, struct flow *flow, const struct packet_tunnel *tunnel)
{
    struct flow_extra *extra = flow_need_extra(&table->store, flow);
    if (extra == NULL)
        return;
    struct flow_tunnel *known = &extra->tunnel;
    assert(tunnel->kind != TUNNEL_NONE);
    if (known->kind == TUNNEL_NONE) {
        tell_tunnel(flow, known, tunnel);
    } else if (!known->two_ids && tunnel->kind == known->kind && tunnel->id != known->id &&
               address_compare(&tunnel->source, &known->target) == 0) {
        known->peer_id = tunnel->id;
        known->two_ids = true;
    }
}
