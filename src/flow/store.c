#include "flow/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/poison.h"

static bool nodes_init(struct flow_nodes *nodes, size_t bytes, uint32_t flows)
{
    return slab_init(&nodes->slab, bytes, flows) &&
           arena_reserve(&nodes->ends, (size_t)flows * sizeof(struct flow_ends));
}

static void nodes_done(struct flow_nodes *nodes)
{
    slab_done(&nodes->slab);
    arena_done(&nodes->ends);
}

static size_t nodes_bytes(const struct flow_nodes *nodes)
{
    return slab_bytes(&nodes->slab) + nodes->slab.fresh * sizeof(struct flow_ends);
}

// The number of a free node, whose ends are room without a value; 0 without memory. The room comes first: whoever
// walks over all nodes finds the ends of each.
static uint32_t nodes_take(struct flow_nodes *nodes)
{
    size_t next = (size_t)nodes->slab.fresh + 1;
    if (nodes->slab.free_head == 0 && !arena_grow(&nodes->ends, next * sizeof(struct flow_ends)))
        return 0;
    return slab_take(&nodes->slab);
}

bool flow_store_init(struct flow_store *store, uint32_t flows)
{
    *store = (struct flow_store){0};
    bool whole = nodes_init(&store->v4, FLOW_NODE_V4_BYTES, flows) &&
                 nodes_init(&store->v6, FLOW_NODE_V6_BYTES, flows) &&
                 slab_init(&store->quality, sizeof(struct tcp_quality), flows) &&
                 slab_init(&store->trouble, sizeof(struct tcp_trouble), 2 * flows) &&
                 slab_init(&store->extra, sizeof(struct flow_extra), flows);
    if (!whole)
        flow_store_done(store);
    return whole;
}

void flow_store_done(struct flow_store *store)
{
    nodes_done(&store->v4);
    nodes_done(&store->v6);
    slab_done(&store->quality);
    slab_done(&store->trouble);
    slab_done(&store->extra);
}

size_t flow_store_bytes(const struct flow_store *store)
{
    return nodes_bytes(&store->v4) + nodes_bytes(&store->v6) + slab_bytes(&store->quality) +
           slab_bytes(&store->trouble) + slab_bytes(&store->extra) + store->names_bytes;
}

static void free_node(struct flow_store *store, uint32_t id)
{
    const struct flow *flow = flow_at(store, id);
    assert((flow->marks & FLOW_MARK_ENDED) != 0);
    slab_free((id & FLOW_ID_V6) != 0 ? &store->v6.slab : &store->v4.slab, id & ~(uint32_t)FLOW_ID_V6);
    unpoison(&flow->marks, sizeof flow->marks);
}

static bool set_tunnel(struct flow_store *store, struct flow *flow, const struct flow_key *key)
{
    struct flow_extra *extra = flow_need_extra(store, flow);
    if (extra == NULL)
        return false;
    flow->marks |= FLOW_MARK_TUNNEL;
    extra->tunnel.kind = extra->tunnel.key_kind = key->tunnel_kind;
    extra->tunnel.key = key->tunnel;
    return true;
}

uint32_t flow_store_add(struct flow_store *store, const struct flow_key *key)
{
    assert(key->ip_version == 4 || key->ip_version == 6);
    bool v6 = key->ip_version == 6;
    size_t bytes = v6 ? 16 : 4;
    uint32_t id = nodes_take(v6 ? &store->v6 : &store->v4);
    if (id == 0)
        return 0;
    assert(id < FLOW_ID_INTERIM); // the bits above say what kind of id it is
    id |= v6 ? (uint32_t)FLOW_ID_V6 : 0;

    struct flow *flow = flow_at(store, id);
    flow->marks = v6 ? FLOW_MARK_V6 : 0;
    flow->protocol = key->protocol;
    memcpy(flow->ports, key->ports, sizeof flow->ports);
    memcpy(flow->addresses, key->addresses[0], bytes);
    memcpy(flow->addresses + bytes, key->addresses[1], bytes);
    if (key->tunnel_kind != TUNNEL_NONE && !set_tunnel(store, flow, key)) {
        flow->marks |= FLOW_MARK_ENDED;
        free_node(store, id);
        return 0;
    }
    return id;
}

// Free openings whose neighbour is in use are a list; with both free the node goes back.
struct free_links {
    uint32_t next, previous;
};

static struct free_links *links_of(const struct flow_store *store, uint32_t id)
{
    return (struct free_links *)(void *)opening_at(store, id);
}

static uint32_t neighbour_of(uint32_t id)
{
    return ((id - 1) ^ 1) + 1;
}

static void link_free(struct flow_store *store, uint32_t id)
{
    assert(id != store->free_opening);
    opening_at(store, id)->segments = 0;
    *links_of(store, id) = (struct free_links){.next = store->free_opening};
    if (store->free_opening != 0)
        links_of(store, store->free_opening)->previous = id;
    store->free_opening = id;
}

static void unlink_free(struct flow_store *store, uint32_t id)
{
    assert(opening_at(store, id)->segments == 0);
    struct free_links links = *links_of(store, id);
    assert(links.previous != 0 ? links_of(store, links.previous)->next == id : store->free_opening == id);
    assert(links.next == 0 || links_of(store, links.next)->previous == id);
    if (links.previous != 0)
        links_of(store, links.previous)->next = links.next;
    else
        store->free_opening = links.next;
    if (links.next != 0)
        links_of(store, links.next)->previous = links.previous;
}

// An opening of zeros, which counts as free until it has a segment.
static uint32_t take_opening(struct flow_store *store)
{
    uint32_t id = store->free_opening;
    if (id != 0) {
        unlink_free(store, id);
        memset(opening_at(store, id), 0, sizeof(struct tcp_opening));
        return id;
    }
    uint32_t node = slab_take(&store->quality);
    if (node == 0)
        return 0;
    id = (node - 1) * OPENINGS_A_NODE + 1;
    link_free(store, neighbour_of(id));
    return id;
}

static void free_opening(struct flow_store *store, uint32_t id)
{
    uint32_t neighbour = neighbour_of(id);
    if (opening_at(store, neighbour)->segments != 0) {
        link_free(store, id);
        return;
    }
    unlink_free(store, neighbour);
    slab_free(&store->quality, (id - 1) / OPENINGS_A_NODE + 1);
}

void flow_store_remove(struct flow_store *store, uint32_t id)
{
    struct flow *flow = flow_at(store, id);
    assert((flow->marks & (FLOW_MARK_OPENING | FLOW_MARK_QUALITY)) !=
           (FLOW_MARK_OPENING | FLOW_MARK_QUALITY));
    flow->marks |= FLOW_MARK_ENDED; // a free node keeps it: whoever walks over all nodes passes it by
    if ((flow->marks & FLOW_MARK_OPENING) != 0)
        free_opening(store, flow->quality);
    struct tcp_quality *quality = flow_quality(store, flow);
    if (quality != NULL) {
        for (int direction = 0; direction < 2; direction++)
            if (quality->side[direction].trouble != 0)
                slab_free(&store->trouble, quality->side[direction].trouble);
        slab_free(&store->quality, flow->quality);
    }
    struct flow_extra *extra = flow_extra(store, flow);
    if (extra != NULL) {
        assert((flow->extra & FLOW_EXTRA_STREAM) == 0);
        flow_names_free(flow_take_names(store, extra));
        slab_free(&store->extra, flow->extra & FLOW_EXTRA_ID);
    }
    free_node(store, id);
}

struct tcp_opening *flow_make_opening(struct flow_store *store, struct flow *flow)
{
    assert((flow->marks & (FLOW_MARK_OPENING | FLOW_MARK_QUALITY)) == 0);
    uint32_t id = take_opening(store);
    if (id == 0)
        return NULL;
    flow->quality = id;
    flow->marks |= FLOW_MARK_OPENING;
    return flow_opening(store, flow);
}

struct tcp_opening flow_take_opening(struct flow_store *store, struct flow *flow)
{
    assert((flow->marks & FLOW_MARK_OPENING) != 0);
    struct tcp_opening opening = *flow_opening(store, flow);
    assert(opening.segments > 0 && opening.segments <= TCP_OPENING_SEGMENTS);
    free_opening(store, flow->quality);
    flow->marks &= (uint8_t)~FLOW_MARK_OPENING;
    flow->quality = opening.syn_sequence;
    return opening;
}

struct tcp_quality *flow_make_quality(struct flow_store *store, struct flow *flow)
{
    assert((flow->marks & (FLOW_MARK_OPENING | FLOW_MARK_QUALITY)) == 0);
    uint32_t id = slab_take(&store->quality);
    if (id == 0)
        return NULL;
    flow->quality = id;
    flow->marks |= FLOW_MARK_QUALITY;
    return flow_quality(store, flow);
}

struct tcp_trouble *flow_need_trouble(struct flow_store *store, struct tcp_side *side)
{
    if (side->trouble == 0)
        side->trouble = slab_take(&store->trouble);
    return flow_trouble(store, side);
}

struct flow_extra *flow_need_extra(struct flow_store *store, struct flow *flow)
{
    if (flow->extra == 0)
        flow->extra = slab_take(&store->extra);
    return flow_extra(store, flow);
}

struct flow_names *flow_set_names(struct flow_store *store, struct flow *flow, const struct flow_names *names)
{
    struct flow_extra *extra = flow_need_extra(store, flow);
    struct flow_names *copy = extra != NULL ? flow_names_copy(names) : NULL;
    if (copy == NULL)
        return NULL;
    store->names_bytes += sizeof *copy + copy->text_bytes;
    flow_names_free(flow_take_names(store, extra));
    extra->names = copy;
    return copy;
}

struct flow_names *flow_take_names(struct flow_store *store, struct flow_extra *extra)
{
    struct flow_names *names = extra->names;
    size_t bytes = names != NULL ? sizeof *names + names->text_bytes : 0;
    assert(store->names_bytes >= bytes);
    store->names_bytes -= bytes;
    extra->names = NULL;
    return names;
}

void flow_key_of(const struct flow_store *store, const struct flow *flow, struct flow_key *key)
{
    bool v6 = (flow->marks & FLOW_MARK_V6) != 0;
    memset(key, 0, sizeof *key);
    memcpy(key->addresses[0], flow->addresses, v6 ? 16 : 4);
    memcpy(key->addresses[1], flow->addresses + (v6 ? 16 : 4), v6 ? 16 : 4);
    memcpy(key->ports, flow->ports, sizeof key->ports);
    key->protocol = flow->protocol;
    key->ip_version = v6 ? 6 : 4;
    if ((flow->marks & FLOW_MARK_TUNNEL) != 0) {
        const struct flow_extra *extra = flow_extra(store, flow);
        assert(extra != NULL);
        key->tunnel_kind = extra->tunnel.key_kind;
        key->tunnel = extra->tunnel.key;
    }
}
