#include "pipeline/shard.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "detect/observe.h"
#include "flow/names.h"
#include "flow/table.h"
#include "pipeline/answering.h"
#include "pipeline/messages.h"
#include "pipeline/question.h"
#include "pipeline/walk.h"

struct shard {
    unsigned number;
    bool names;
    const atomic_bool *behind;
    struct flow_table table;
    struct top_table *top[FLOW_PARTITIONS]; // NULL = not asked for, or another shard's
    struct mailbox box;
    struct answering answering;
    uint64_t generation; // of the settings that came last
    uint64_t settled;    // of those that are in force for every flow
    struct dns_list dns;
    struct evidence evidence;
    struct dns_message message; // scratch: too large for a hot stack frame
    struct shard_totals totals;
};

static bool create_top(struct shard *shard)
{
    for (unsigned p = 0; p < shard->table.partitions; p++)
        if (shard->table.partition[p] != NULL && (shard->top[p] = top_create()) == NULL)
            return false;
    return true;
}

static void destroy_top(struct shard *shard)
{
    for (unsigned p = 0; p < FLOW_PARTITIONS; p++) {
        top_destroy(shard->top[p]);
        shard->top[p] = NULL;
    }
}

// The hook where a flow ends: what is to be counted of ends is counted here, in their own tick.
static void count_end(void *owner, const struct flow_end *end)
{
    struct shard_totals *totals = &((struct shard *)owner)->totals;
    totals->flows_unanswered += !end->answered;
    totals->flows_inconclusive +=
        !end->answered && end_is_inconclusive(end->reason, end->first_ns, end->end_ns);
}

// The hook where a flow is looked at for the detectors.
static void gather(void *owner, const struct flow_look *look)
{
    observe_look(&((struct shard *)owner)->evidence, look);
}

struct shard *shard_create(const struct shard_setup *setup)
{
    struct shard *shard = calloc(1, sizeof *shard);
    if (shard == NULL)
        return NULL;
    mailbox_init(&shard->box);
    shard->number = setup->number;
    shard->names = setup->names;
    shard->behind = setup->behind;
    shard->generation = shard->settled = setup->generation;
    if (flow_table_init(&shard->table, &setup->policy, setup->number, setup->shards) &&
        (!setup->top_flows || create_top(shard))) {
        if (setup->tick_packets != 0)
            shard->table.more_answers = setup->tick_packets / shard->table.partitions;
        shard->table.on_end = count_end;
        shard->table.on_look = gather;
        shard->table.on_end_owner = shard->table.on_look_owner = shard;
        return shard;
    }
    shard_destroy(shard);
    return NULL;
}

void shard_destroy(struct shard *shard)
{
    if (shard == NULL)
        return;
    flow_table_done(&shard->table);
    mailbox_done(&shard->box);
    destroy_top(shard);
    evidence_done(&shard->evidence);
    free(shard->dns.items);
    free(shard);
}

static bool look_for_dns(struct shard *shard, const struct flow_hit *hit, const struct packet *packet)
{
    bool found;
    if (dns_of_packet(packet, &shard->message, &found) != DECODE_OK)
        shard->table.payload.bad_messages++;
    if (!found)
        return false;
    shard->table.payload.dns_messages++;
    struct dns_transaction *place = dns_list_place(&shard->dns);
    if (place != NULL && flow_note_dns(&shard->table, hit, packet, &shard->message, place))
        shard->dns.count++;
    return true;
}

static void look_for_hello(struct shard *shard, const struct flow_hit *hit, const struct packet *packet)
{
    struct tls_hello hello;
    if (!tls_hello_of_packet(packet, &hello))
        return;
    shard->table.payload.tls_hellos++;
    flow_note_tls(&shard->table, hit->flow, &hello);
}

static void look_into_datagram(struct shard *shard, const struct flow_hit *hit, const struct packet *packet)
{
    if (!look_for_dns(shard, hit, packet) && tls_may_be_in_datagram(packet))
        look_for_hello(shard, hit, packet);
}

// Names in the payload of a packet that its flow counted.
static void look_inside(struct shard *shard, const struct flow_hit *hit, const struct packet *packet,
                        uint64_t hash)
{
    if (packet->payload_captured == 0 || !packet->has_transport)
        return;
    if (packet->ip_protocol == IP_PROTOCOL_TCP)
        flow_read_segment(&shard->table, hit, packet, hash, &shard->dns);
    else if (packet->ip_protocol == IP_PROTOCOL_UDP)
        look_into_datagram(shard, hit, packet);
}

static inline void observe(struct shard *shard, const struct packet *packet, uint64_t hash,
                           const struct flow_hit *hit)
{
    unsigned facts = (hit->peer_sent || hit->flow == NULL ? OBSERVED_RECEIVER_SENT : 0) |
                     (hit->handshake_done ? OBSERVED_HANDSHAKE : 0) | (hit->went_on ? OBSERVED_WENT_ON : 0);
    observe_packet(&shard->evidence, partition_of(hash, shard->table.partitions), packet, facts,
                   shard->table.policy.hash_seed);
}

// Under the key of the flow, which may be of another form than the packet's.
static void count_top(const struct shard *shard, struct top_table *top, const struct batch_item *item,
                      uint64_t hash, const struct flow_hit *hit)
{
    struct flow_key key;
    if (hit->joined)
        flow_key_of(&shard->table.store, hit->flow, &key);
    top_add(top, hit->joined ? &key : &item->key, hash, item->sender, item->packet.length);
}

static void count_flowless(struct shard_totals *totals, const struct packet *packet)
{
    totals->analysed++;
    totals->analysed_bytes += packet->length;
    *(packet->is_arp ? &totals->arp : &totals->not_ip) += 1;
    *(packet->is_arp ? &totals->arp_bytes : &totals->not_ip_bytes) += packet->length;
}

static void shard_packet(struct shard *shard, const struct batch_item *item, uint64_t hash, uint32_t hint)
{
    const struct packet *packet = &item->packet;
    if (!item->has_flow) {
        count_flowless(&shard->totals, packet);
        return;
    }
    struct flow_hit hit = {.sender = item->sender, .id = hint};
    flow_table_packet(&shard->table, packet, &item->key, hash, &hit);
    if (hit.second_sighting)
        shard->totals.second_sightings++;
    if (hit.duplicate) {
        shard->totals.duplicate++;
        return;
    }
    shard->totals.analysed++;
    shard->totals.analysed_bytes += packet->length;
    shard->totals.protocol_packets[packet->ip_protocol]++;
    shard->totals.protocol_bytes[packet->ip_protocol] += packet->length;
    if (shard->table.policy.look_ns != 0)
        observe(shard, packet, hash, &hit);
    struct top_table *top = shard->top[partition_of(hash, shard->table.partitions)];
    if (top != NULL)
        count_top(shard, top, item, hash, &hit);
    if (shard->names && hit.flow != NULL)
        look_inside(shard, &hit, packet, hash);
}

void shard_batch(struct shard *shard, const struct batch *batch)
{
    struct walk walk;
    walk_begin(&walk, &shard->table, shard->names, batch, shard->number);
    for (unsigned at = 0; at < walk.count; at++) {
        unsigned place = walk.own[at];
        uint32_t hint = walk.hints[at % HINTS];
        walk_ahead(&walk, at);
        shard_packet(shard, &batch->items[place], batch->hash[place], hint);
    }
}

enum mailbox_result shard_post(struct shard *shard, struct message *message)
{
    return mailbox_post(&shard->box, message);
}

static void change(struct shard *shard, const struct pipeline_change *change)
{
    flow_table_change(&shard->table, &change->policy);
    shard->generation = change->generation;
    bool has_top = shard->top[shard->number] != NULL;
    if (has_top && !change->top_flows)
        destroy_top(shard);
    else if (!has_top && change->top_flows && !create_top(shard))
        destroy_top(shard); // no memory: there is nothing to list
}

static void take_message(struct shard *shard, struct message *message)
{
    if (message->kind == MESSAGE_QUESTION) {
        answering_add(&shard->answering, (struct question *)message);
        return;
    }
    assert(message->kind == MESSAGE_CHANGE);
    change(shard, &((const struct change_message *)message)->change);
    message_arrive(message);
}

static void settle(struct shard *shard)
{
    if (!flow_table_settle(&shard->table))
        shard->settled = shard->generation;
}

bool shard_has_messages(struct shard *shard)
{
    return !answering_is_idle(&shard->answering) || shard->settled != shard->generation ||
           !mailbox_is_empty(&shard->box);
}

bool shard_serve(struct shard *shard, int64_t now_ns)
{
    for (struct message *message;
         answering_has_room(&shard->answering) && (message = mailbox_take(&shard->box)) != NULL;)
        take_message(shard, message);
    if (shard->settled != shard->generation)
        settle(shard);
    if (!answering_is_idle(&shard->answering))
        answering_go_on(&shard->answering, &shard->table, shard->number, now_ns);
    return shard_has_messages(shard);
}

void shard_begin_serving(struct shard *shard)
{
    mailbox_open(&shard->box);
}

void shard_end_serving(struct shard *shard)
{
    mailbox_close(&shard->box);
    while (shard_serve(shard, 0))
        ;
}

static unsigned list_top_flows(struct shard *shard, struct top_flow *out, unsigned most)
{
    unsigned count = 0;
    for (unsigned p = 0; p < FLOW_PARTITIONS; p++) {
        if (shard->top[p] == NULL)
            continue;
        count = top_merge(shard->top[p], out, count, most);
        top_reset(shard->top[p]);
    }
    return count;
}

static void swap_dns(struct shard *shard, struct dns_list *list)
{
    struct dns_list taken = shard->dns;
    shard->dns = *list;
    shard->dns.count = 0;
    *list = taken;
}

// What the report held is read and over.
static void swap_evidence(struct shard *shard, struct evidence *evidence)
{
    struct evidence spare = *evidence;
    evidence_reset(&spare);
    *evidence = shard->evidence;
    shard->evidence = spare;
}

static void count_flows(struct shard *shard)
{
    const struct flow_table *table = &shard->table;
    struct shard_totals *totals = &shard->totals;
    totals->flows_created = table->counts.created;
    totals->flows_active = flow_table_active(table);
    totals->flows_refused = table->counts.refused;
    totals->flow_table_bytes = flow_table_bytes(table);
    totals->payload = table->payload;
    memcpy(totals->flows_ended, table->counts.ended, sizeof totals->flows_ended);
}

void shard_tick(struct shard *shard, int64_t now_ns, bool last, bool interval_end,
                struct shard_report *report)
{
    shard->table.slowly = shard->behind != NULL && atomic_load_explicit(shard->behind, memory_order_relaxed);
    flow_table_tick(&shard->table, now_ns, last);
    count_flows(shard);
    report->totals = shard->totals;
    report->generation = shard->settled;
    report->top_count = interval_end ? list_top_flows(shard, report->top, TICK_TOP_FLOWS) : 0;
    swap_dns(shard, &report->dns);
    swap_evidence(shard, &report->evidence);
}

bool shard_next_ended(struct shard *shard, struct ended_record *out)
{
    return flow_table_take(&shard->table, &out->record, &out->order_ns);
}

const struct shard_totals *shard_totals(const struct shard *shard)
{
    return &shard->totals;
}

void shard_report_done(struct shard_report *report)
{
    free(report->dns.items);
    evidence_done(&report->evidence);
    *report = (struct shard_report){0};
}
