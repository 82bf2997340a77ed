#include "micro/feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "capture/clock.h"
#include "decode/decode.h"
#include "micro/rows.h"
#include "micro/series.h"

enum { LINKTYPE_ETHERNET = 1 };

static const int64_t feed_start_ns = INT64_C(1700000000) * NS_PER_S;
static const uint64_t feed_hash_seed = 0x6d6963726f, feed_index_seed = 0x696e646578;

void feed_init(struct feed *feed, bool names)
{
    struct shard_setup setup = {
        .policy = {.hash_seed = feed_hash_seed,
                   .index_seed = feed_index_seed,
                   .timeout_ns = 60 * NS_PER_S,
                   .tcp_timeout_ns = 600 * NS_PER_S,
                   .udp_timeout_ns = 60 * NS_PER_S,
                   .icmp_timeout_ns = 60 * NS_PER_S,
                   .linger_ns = 5 * NS_PER_S,
                   .rtt = true,
                   .retransmissions = true,
                   .out_of_order = true},
        .shards = 1,
        .names = names,
        .top_flows = names,
    };
    memset(feed, 0, sizeof *feed);
    feed->now_ns = feed_start_ns;
    feed->shard = shard_create(&setup);
    if (feed->shard == NULL || !batch_init(&feed->batch, FEED_BATCH))
        micro_fail("no memory for a shard");
}

void feed_done(struct feed *feed)
{
    feed->batch.count = 0;
    batch_done(&feed->batch);
    free(feed->report.dns.items);
    shard_destroy(feed->shard);
}

void feed_frame(struct feed *feed, const struct set_frame *frame, const uint8_t *bytes)
{
    static const struct decode_options options = {.tunnels = true};
    struct batch_item *item = batch_place(&feed->batch);
    struct packet *packet = &item->packet;
    if (frame->time_ns > feed->now_ns)
        feed->now_ns = frame->time_ns;
    packet->time_ns = frame->time_ns;
    packet->now_ns = feed->now_ns;
    packet->clock_offset_ns = 0;
    packet->number = ++feed->number;
    packet->bytes = bytes;
    packet->captured = frame->captured;
    packet->length = frame->length;
    packet->interface = 0;
    packet->link_type = LINKTYPE_ETHERNET;
    decode_packet(packet, &options);
    item->has_flow = flow_key_of_packet(packet, &item->key, &item->sender);
    batch_add(&feed->batch, item->has_flow ? flow_hash(&item->key, feed_hash_seed, feed_index_seed) : 0, 0,
              NULL);
}

void feed_conversation(struct feed *feed, uint64_t flow, unsigned step)
{
    uint8_t *bytes = feed->frames[feed->batch.count];
    struct set_frame frame = {.time_ns = feed->now_ns + 1000};
    frame.length = frame.captured = conversation_frame(flow, step, bytes);
    feed_frame(feed, &frame, bytes);
}

void feed_send(struct feed *feed)
{
    int64_t thread_ns = micro_thread_now_ns(), begin_ns = clock_now_ns();
    shard_batch(feed->shard, &feed->batch);
    feed->batch_ns = clock_now_ns() - begin_ns;
    feed->thread_ns = micro_thread_now_ns() - thread_ns;
    feed->spent_ns += feed->batch_ns;
    feed->batch.count = 0;
}

uint64_t feed_tick(struct feed *feed, bool last)
{
    struct ended_record ended;
    uint64_t count = 0;
    int64_t begin_ns = clock_now_ns();
    shard_tick(feed->shard, feed->now_ns, last, false, &feed->report);
    for (; shard_next_ended(feed->shard, &ended); count++)
        flow_names_free(ended.record.names);
    feed->spent_ns += clock_now_ns() - begin_ns;
    return count;
}

double feed_round(struct feed *feed, uint64_t flows, unsigned step)
{
    feed->spent_ns = 0;
    for (uint64_t place = 0; place < flows; place++) {
        feed_conversation(feed, conversation_turn(flows, step, place), step);
        if (feed_full(feed) || place + 1 == flows)
            feed_send(feed);
    }
    return (double)feed->spent_ns / (double)flows;
}
