#include "pipeline/shard.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS = 64, PARTITION_FLOWS_MINIMUM = 256 };

struct partition {
    struct flow_policy policy; // the run's, with this partition's part of max_flows
    struct flow_table table;
    struct top_table *top; // NULL = not asked for
};

struct shard {
    bool names;
    unsigned partitions;                     // of the run
    struct partition *partition[PARTITIONS]; // NULL = another shard's
    struct ended_list ended;
    size_t taken; // entries of `ended` handed over
    struct dns_list dns;
    struct dns_message message; // scratch: too large for a hot stack frame
    struct tls_hello hello;
    struct shard_totals totals;
};

unsigned partition_count(uint64_t max_flows)
{
    unsigned count = PARTITIONS;
    while (max_flows != 0 && count > 1 && max_flows / count < PARTITION_FLOWS_MINIMUM)
        count /= 2;
    return count;
}

static void partition_destroy(struct partition *partition)
{
    if (partition == NULL)
        return;
    flow_table_done(&partition->table);
    top_destroy(partition->top);
    free(partition);
}

static struct partition *partition_create(const struct shard_setup *setup, unsigned number,
                                          unsigned partitions, struct ended_list *ended)
{
    const struct flow_policy *policy = &setup->policy;
    struct partition *partition = calloc(1, sizeof *partition);
    if (partition == NULL)
        return NULL;
    partition->policy = *policy;
    if (policy->max_flows != 0) {
        uint32_t share = policy->max_flows / partitions + (number < policy->max_flows % partitions);
        partition->policy.max_flows = share != 0 ? share : 1;
    }
    bool whole = flow_table_init(&partition->table, &partition->policy, ended);
    if (whole && setup->top_flows)
        whole = (partition->top = top_create()) != NULL;
    if (!whole) {
        partition_destroy(partition);
        return NULL;
    }
    return partition;
}

struct shard *shard_create(const struct shard_setup *setup)
{
    struct shard *shard = calloc(1, sizeof *shard);
    if (shard == NULL)
        return NULL;
    shard->names = setup->names;
    shard->partitions = partition_count(setup->policy.max_flows);
    for (unsigned p = setup->number; p < shard->partitions; p += setup->shards) {
        shard->partition[p] = partition_create(setup, p, shard->partitions, &shard->ended);
        if (shard->partition[p] == NULL) {
            shard_destroy(shard);
            return NULL;
        }
    }
    return shard;
}

void shard_destroy(struct shard *shard)
{
    if (shard == NULL)
        return;
    for (struct ended_record ended; shard_next_ended(shard, &ended);)
        flow_names_free(ended.record.names);
    for (unsigned p = 0; p < PARTITIONS; p++)
        partition_destroy(shard->partition[p]);
    ended_list_done(&shard->ended);
    free(shard->dns.items);
    free(shard);
}

// A place for one more transaction of this tick; at most one a packet, so the tick bounds the list.
static struct dns_transaction *dns_place(struct dns_list *list)
{
    if (list->count == list->room) {
        unsigned room = list->room != 0 ? list->room * 2 : 64;
        struct dns_transaction *items = realloc(list->items, room * sizeof *items);
        if (items == NULL)
            return NULL;
        list->items = items;
        list->room = room;
    }
    return &list->items[list->count];
}

static void look_for_dns(struct shard *shard, struct flow_table *table, struct flow *flow,
                         const struct packet *packet)
{
    bool found;
    if (dns_of_packet(packet, &shard->message, &found) != DECODE_OK)
        shard->totals.bad_messages++;
    if (!found)
        return;
    shard->totals.dns_messages++;
    struct dns_transaction *place = dns_place(&shard->dns);
    if (place != NULL && flow_note_dns(table, flow, packet, &shard->message, place))
        shard->dns.count++;
}

// Names in the payload of a packet that its flow counted.
static void look_inside(struct shard *shard, struct flow_table *table, struct flow *flow,
                        const struct packet *packet)
{
    if (packet->payload_captured == 0 || !packet->has_transport)
        return;
    bool tcp = packet->ip_protocol == IP_PROTOCOL_TCP;
    if (tcp && tls_hello_of_packet(packet, &shard->hello)) {
        shard->totals.tls_hellos++;
        flow_note_tls(table, flow, &shard->hello);
    } else if (tcp || packet->ip_protocol == IP_PROTOCOL_UDP) {
        look_for_dns(shard, table, flow, packet);
    }
}

static void shard_packet(struct shard *shard, const struct batch_item *item)
{
    const struct packet *packet = &item->packet;
    if (!item->has_flow) {
        shard->totals.analysed++;
        shard->totals.analysed_bytes += packet->length;
        return;
    }
    struct partition *partition = shard->partition[partition_of(item->hash, shard->partitions)];
    assert(partition != NULL);
    struct flow_hit hit = flow_table_packet(&partition->table, packet, &item->key, item->hash, item->sender);
    shard->totals.second_sightings += hit.second_sighting;
    if (hit.duplicate) {
        shard->totals.duplicate++;
        return;
    }
    shard->totals.analysed++;
    shard->totals.analysed_bytes += packet->length;
    shard->totals.protocol_packets[packet->ip_protocol]++;
    shard->totals.protocol_bytes[packet->ip_protocol] += packet->length;
    if (partition->top != NULL)
        top_add(partition->top, &item->key, item->hash, item->sender, packet->length);
    if (shard->names && hit.flow != NULL)
        look_inside(shard, &partition->table, hit.flow, packet);
}

// Two passes ahead of the work: the index's buckets, then the nodes that they name, so that the misses of
// many packets overlap.
enum { PREFETCH_BUCKETS = 16, PREFETCH_NODES = 8 };

static void prefetch(const struct shard *shard, const struct batch *batch, unsigned i,
                     void (*fetch)(const struct flow_table *table, uint64_t hash))
{
    if (i >= batch->count || !batch->items[i].has_flow)
        return;
    uint64_t hash = batch->items[i].hash;
    fetch(&shard->partition[partition_of(hash, shard->partitions)]->table, hash);
}

void shard_batch(struct shard *shard, const struct batch *batch)
{
    for (unsigned i = 0; i < PREFETCH_BUCKETS; i++)
        prefetch(shard, batch, i, flow_table_prefetch_bucket);
    for (unsigned i = 0; i < PREFETCH_NODES; i++)
        prefetch(shard, batch, i, flow_table_prefetch_node);
    for (unsigned i = 0; i < batch->count; i++) {
        prefetch(shard, batch, i + PREFETCH_BUCKETS, flow_table_prefetch_bucket);
        prefetch(shard, batch, i + PREFETCH_NODES, flow_table_prefetch_node);
        shard_packet(shard, &batch->items[i]);
    }
}

static void sum_tables(struct shard *shard)
{
    struct shard_totals *totals = &shard->totals;
    totals->flows_created = totals->flows_active = totals->flows_refused = totals->flow_table_bytes = 0;
    memset(totals->flows_ended, 0, sizeof totals->flows_ended);
    for (unsigned p = 0; p < PARTITIONS; p++) {
        if (shard->partition[p] == NULL)
            continue;
        const struct flow_table *table = &shard->partition[p]->table;
        totals->flows_created += table->counts.created;
        totals->flows_active += flow_table_active(table);
        totals->flows_refused += table->counts.refused;
        totals->flow_table_bytes += flow_table_bytes(table);
        for (int reason = 0; reason < END_REASONS; reason++)
            totals->flows_ended[reason] += table->counts.ended[reason];
    }
}

void shard_tick(struct shard *shard, int64_t now_ns, bool last)
{
    for (unsigned p = 0; p < PARTITIONS; p++) {
        if (shard->partition[p] == NULL)
            continue;
        flow_table_expire(&shard->partition[p]->table, now_ns);
        if (last)
            flow_table_finish(&shard->partition[p]->table, now_ns);
    }
    ended_list_sort(&shard->ended);
    sum_tables(shard);
}

bool shard_next_ended(struct shard *shard, struct ended_record *out)
{
    if (shard->taken == shard->ended.count) {
        shard->ended.count = shard->taken = 0;
        return false;
    }
    const struct ended_flow *ended = &shard->ended.items[shard->taken++];
    out->order_ns = ended->end_ns;
    flow_table_take(ended, &out->record);
    return true;
}

void shard_swap_dns(struct shard *shard, struct dns_list *list)
{
    struct dns_list taken = shard->dns;
    shard->dns = *list;
    shard->dns.count = 0;
    *list = taken;
}

const struct shard_totals *shard_totals(const struct shard *shard)
{
    return &shard->totals;
}

unsigned shard_top_flows(struct shard *shard, struct top_flow *out, unsigned most)
{
    unsigned count = 0;
    for (unsigned p = 0; p < PARTITIONS; p++) {
        if (shard->partition[p] == NULL || shard->partition[p]->top == NULL)
            continue;
        count = top_merge(shard->partition[p]->top, out, count, most);
        top_reset(shard->partition[p]->top);
    }
    return count;
}
