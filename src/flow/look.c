#include "flow/look.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/prefetch.h"
#include "flow/table.h"

void look_queue_done(struct look_queue *queue)
{
    free(queue->entries);
    *queue = (struct look_queue){0};
}

static struct look_entry *entry_at(const struct look_queue *queue, uint32_t place)
{
    assert(place < queue->count);
    return &queue->entries[(queue->first + place) & (queue->room - 1)];
}

// Rooms are powers of two; the ring is laid out anew from its front.
static bool grow(struct look_queue *queue)
{
    uint32_t room = queue->room != 0 ? queue->room * 2 : 32;
    if (room > LOOKS_WAITING)
        return false;
    struct look_entry *entries = malloc(room * sizeof *entries);
    if (entries == NULL)
        return false;
    for (uint32_t i = 0; i < queue->count; i++)
        entries[i] = *entry_at(queue, i);
    free(queue->entries);
    queue->entries = entries;
    queue->room = room;
    queue->first = 0;
    return true;
}

void flow_await_look(struct flow_table *table, struct flow_partition *partition, uint32_t id)
{
    struct look_queue *queue = &partition->looks;
    if (table->policy.look_ns == 0 || (queue->count == queue->room && !grow(queue)))
        return; // it is looked at when it ends
    queue->count++;
    *entry_at(queue, queue->count - 1) =
        (struct look_entry){.began_ns = flow_ends_at(&table->store, id)->first_ns, .id = id};
}

void flow_look_at(struct flow_table *table, const struct flow_partition *partition, uint32_t id,
                  int64_t now_ns)
{
    struct flow *flow = flow_at(&table->store, id);
    if (table->policy.look_ns == 0 || (flow->marks & FLOW_MARK_LOOKED) != 0)
        return;
    flow->marks |= FLOW_MARK_LOOKED;
    int64_t began_ns = flow_ends_at(&table->store, id)->first_ns;
    const struct flow_extra *extra = flow_extra(&table->store, flow);
    struct flow_look look = {
        .began_ns = began_ns,
        .first_seen_ns = began_ns - (extra != NULL ? extra->clock_offset_ns : 0),
        .bytes = {flow->bytes[0], flow->bytes[1]},
        .packets = {flow->packets[0], flow->packets[1]},
        .tcp_flags = {flow->tcp_flags[0], flow->tcp_flags[1]},
        .tcp_state = flow->tcp_state,
        .client = (flow->marks & FLOW_MARK_CLIENT_B) != 0,
        .client_from = flow->client_from,
        .tunnel_kind = extra != NULL ? extra->tunnel.kind : TUNNEL_NONE,
        .tunnel_id = extra != NULL ? extra->tunnel.id : 0,
        .interface = (uint16_t)((flow->owner[0] != 0 ? flow->owner[0] : flow->owner[1]) - 1),
        .partition = partition->number,
        .waited = now_ns - began_ns >= table->policy.look_ns,
    };
    flow_key_of(&table->store, flow, &look.key);
    table->on_look(table->on_look_owner, &look);
}

static bool is_in(const struct flow_table *table, const struct flow_partition *partition,
                  const struct flow *flow)
{
    struct flow_key key;
    flow_key_of(&table->store, flow, &key);
    return partition_of(flow_key_place(&key, table->policy.hash_seed), table->partitions) ==
           partition->number;
}

// Whether the node is still that of the flow which waits, and nobody has looked at it. A node that was freed keeps its
// marks; one that was used again at the same moment may hold a flow of another partition, which waits there.
static bool still_waits(const struct flow_table *table, const struct flow_partition *partition,
                        const struct look_entry *entry)
{
    const struct flow *flow = flow_at(&table->store, entry->id);
    return (flow->marks & (FLOW_MARK_ENDED | FLOW_MARK_LOOKED)) == 0 &&
           flow_ends_at(&table->store, entry->id)->first_ns == entry->began_ns &&
           is_in(table, partition, flow);
}

enum { LOOKS_AHEAD = 8 };

// NULL = none, or another shard's.
static struct flow_partition *partition_at(const struct flow_table *table, unsigned number)
{
    return number < table->partitions ? table->partition[number] : NULL;
}

static bool is_due(const struct flow_table *table, const struct look_queue *queue, uint32_t place,
                   int64_t now_ns)
{
    return place < queue->count && now_ns - entry_at(queue, place)->began_ns >= table->policy.look_ns;
}

static void look_at_due(struct flow_table *table, struct flow_partition *partition, int64_t now_ns)
{
    struct look_queue *queue = &partition->looks;
    while (is_due(table, queue, 0, now_ns)) {
        if (is_due(table, queue, LOOKS_AHEAD, now_ns))
            flow_prefetch(&table->store, entry_at(queue, LOOKS_AHEAD)->id);
        const struct look_entry entry = *entry_at(queue, 0);
        if (still_waits(table, partition, &entry))
            flow_look_at(table, partition, entry.id, now_ns);
        queue->first = (queue->first + 1) & (queue->room - 1);
        queue->count--;
    }
    if (queue->count == 0 && queue->room > 1024) // a flood is over
        look_queue_done(queue);
}

PREFETCHING void prefetch_due(const struct flow_table *table, const struct look_queue *queue, int64_t now_ns)
{
    for (uint32_t place = 0; place < LOOKS_AHEAD && is_due(table, queue, place, now_ns); place++)
        flow_prefetch(&table->store, entry_at(queue, place)->id);
}

// In a quiet tick a partition has a flow or two: what the next partitions touch is on its way while others are looked at.
void flow_look_at_due(struct flow_table *table, int64_t now_ns)
{
    enum { QUEUES_AHEAD = 16, NODES_AHEAD = 8 };
    for (unsigned p = 0; p < table->partitions + QUEUES_AHEAD; p++) {
        struct flow_partition *queued = partition_at(table, p), *next = partition_at(table, p - NODES_AHEAD);
        if (queued != NULL && queued->looks.count != 0)
            prefetch_read(entry_at(&queued->looks, 0));
        if (next != NULL)
            prefetch_due(table, &next->looks, now_ns);
        struct flow_partition *partition = partition_at(table, p - QUEUES_AHEAD);
        if (partition != NULL)
            look_at_due(table, partition, now_ns);
    }
}
