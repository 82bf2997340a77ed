#include "flow/mirror.h"

#include <assert.h>
#include <string.h>

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

// How many flows with this hash the index holds, as far as that matters.
static unsigned count_mirrors(const struct flow_table *table, uint64_t hash)
{
    unsigned count = 0;
    struct index_walk walk = {0};
    while (count < MIRRORS_MOST && flow_index_next(&table->mirrors, hash, &walk) != 0)
        count++;
    return count;
}

void flow_mirror_add(struct flow_table *table, uint32_t id)
{
    struct flow_extra *extra = flow_extra(&table->store, flow_at(&table->store, id));
    uint64_t hash = flow_mirror_hash(table, id);
    assert(extra != NULL && !extra->mirrored);
    extra->mirrored =
        count_mirrors(table, hash) < MIRRORS_MOST && flow_index_insert(&table->mirrors, hash, id);
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

static bool takes_form(const struct flow_table *table, const struct flow *flow, const struct packet *packet,
                       uint8_t sender)
{
    const struct flow_extra *extra = flow_extra(&table->store, flow);
    bool packet_inside = packet->tunnel.kind != TUNNEL_NONE, flow_inside = is_inside(&table->store, flow);
    bool told = extra != NULL && extra->tunnel.kind != TUNNEL_NONE;
    if ((!packet_inside && !flow_inside) ||
        (packet_inside && told && !same_pair(&extra->tunnel, &packet->tunnel)))
        return false;
    bool unseen = flow->bytes[sender] == 0;
    bool joined = extra != NULL && (extra->joined >> sender & 1) != 0;
    if (packet_inside && flow_inside)
        return flow_tunnel_has_own_ids((enum tunnel_kind)packet->tunnel.kind) &&
               (unseen || (joined && is_known_id(&extra->tunnel, &packet->tunnel)));
    bool elsewhere = table->policy.observe_first && flow->owner[sender] != packet->interface + 1;
    return unseen || joined || elsewhere;
}

static bool is_alike(const struct flow_table *table, const struct flow *flow, const struct flow_key *outside)
{
    struct flow_key key;
    outside_key_of(&table->store, flow, &key);
    return memcmp(&key, outside, sizeof key) == 0;
}

static uint32_t find_in(const struct flow_table *table, const struct flow_index *index,
                        const struct flow_key *outside, const struct packet *packet, uint8_t sender)
{
    uint64_t hash = flow_key_hash(outside, table->policy.index_seed);
    struct index_walk walk = {0};
    for (uint32_t id; (id = flow_index_next(index, hash, &walk)) != 0;) {
        const struct flow *flow = flow_at(&table->store, id);
        if (is_alike(table, flow, outside) && takes_form(table, flow, packet, sender))
            return id;
    }
    return 0;
}

uint32_t flow_mirror_find(const struct flow_table *table, const struct packet *packet,
                          const struct flow_key *key, uint8_t sender)
{
    struct flow_key outside = *key;
    flow_key_leave_tunnel(&outside);
    uint32_t id = 0;
    if (key->tunnel_kind != TUNNEL_NONE)
        id = find_in(table, &table->index, &outside, packet, sender);
    return id != 0 ? id : find_in(table, &table->mirrors, &outside, packet, sender);
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
