// Frames of a capture through decoders, flow tables and detection, once with one shard and once with three: the alerts must
// be the same, word for word. The input is read as a pcap file (its first 24 bytes are skipped), so that captures are seeds.
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "decode/decode.h"
#include "detect/detection.h"
#include "detect/observe.h"
#include "flow/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { FILE_HEADER = 24, RECORD_HEADER = 16, MOST_SHARDS = 3, HASH_SEED = 5 };
static const int64_t tick_ns = 50 * NS_PER_MS;

struct sensor {
    unsigned shards;
    struct flow_table tables[MOST_SHARDS];
    struct evidence evidence[MOST_SHARDS];
    struct detection *detection;
    int64_t now_ns, tick_end_ns;
    uint64_t packets, told, words; // words: what was told, as a hash
};

static void gather(void *owner, const struct flow_look *look)
{
    struct sensor *sensor = owner;
    observe_look(&sensor->evidence[look->partition % sensor->shards], look);
}

static void tell(void *owner, const struct alert *alert)
{
    struct sensor *sensor = owner;
    char text[1024];
    assert(alert->kind < ALERT_KINDS && alert->severity < ALERT_SEVERITIES);
    assert(alert->source_count <= ALERT_PARTIES && alert->target_count <= ALERT_PARTIES);
    assert(alert->sample_count <= ALERT_SAMPLES && alert->measure_count <= ALERT_MEASURES);
    assert(alert->confidence >= 0 && alert->confidence <= 1);
    assert(memchr(alert->description, 0, sizeof alert->description) != NULL);
    int size = snprintf(text, sizeof text, "%s %s %u %s %s %g %g %u %u %lu %u %lu", alert->id,
                        alert_kind_name((enum alert_kind)alert->kind), alert->revision, alert->fingerprint,
                        alert->description, alert->observed, alert->confidence, alert->sample_count,
                        alert->source_count, (unsigned long)alert->sources_total, alert->target_count,
                        (unsigned long)alert->targets_total);
    sensor->words = hash_bytes(text, (size_t)size, sensor->words);
    for (unsigned i = 0; i < alert->sample_count; i++) {
        const struct alert_sample *sample = &alert->sample[i];
        sensor->words = hash_bytes(&sample->first_seen_ns, sizeof sample->first_seen_ns, sensor->words);
        sensor->words = hash_bytes(sample->client.address.bytes, 16, sensor->words + sample->client.port);
        sensor->words = hash_bytes(sample->server.address.bytes, 16, sensor->words + sample->server.port);
    }
    sensor->told++;
}

static bool is_local(const void *owner, const struct address *address)
{
    (void)owner;
    return address->bytes[0] == 10;
}

static bool is_allowed(const void *owner, const struct endpoint *source, const struct endpoint *target,
                       int64_t now_ns)
{
    (void)owner;
    (void)now_ns;
    return source->address.bytes[3] == 99 || target->address.bytes[3] == 99;
}

// Low thresholds, so that a few frames raise alerts.
static struct anomaly_settings settings_of(void)
{
    const struct detector_settings common = {.enabled = true, .window_secs = 1, .cooldown_secs = 1};
    const struct scan_settings scan = {common, 4, 5, 6, 8, 10};
    return (struct anomaly_settings){
        .enabled = true,
        .wait_secs = 1,
        .max_alerts_per_minute = 20,
        .syn_flood = {common, 3, 2, 5, 8},
        .port_scan = scan,
        .host_sweep = scan,
        .reflection = {common, 3, 2, 5},
        .udp_flood = {common, 16, 2},
        .icmp_flood = {common, 3, 2},
    };
}

static void begin(struct sensor *sensor, unsigned shards)
{
    const struct flow_policy policy = {
        .hash_seed = HASH_SEED,
        .index_seed = shards,
        .timeout_ns = 5 * NS_PER_S,
        .tcp_timeout_ns = 20 * NS_PER_S,
        .udp_timeout_ns = 3 * NS_PER_S,
        .icmp_timeout_ns = NS_PER_S / 2,
        .linger_ns = NS_PER_S,
        .look_ns = NS_PER_S,
        .max_flows = 1024, // in four partitions: flows are evicted, too
        .rtt = true,
    };
    const struct anomaly_settings settings = settings_of();
    static const struct detect_places places = {is_local, is_allowed, NULL};
    const struct detection_setup setup = {&settings, &places, HASH_SEED, tell, sensor};
    memset(sensor, 0, sizeof *sensor);
    sensor->shards = shards;
    for (unsigned i = 0; i < shards; i++) {
        struct flow_table *table = &sensor->tables[i];
        if (!flow_table_init(table, &policy, i, shards))
            abort();
        table->on_look = gather;
        table->on_look_owner = sensor;
    }
    sensor->detection = detection_create(&setup);
    if (sensor->detection == NULL)
        abort();
}

static void tick(struct sensor *sensor, bool last)
{
    for (unsigned i = 0; i < sensor->shards; i++) {
        struct flow_record record;
        int64_t order_ns;
        flow_table_tick(&sensor->tables[i], sensor->now_ns, last);
        while (flow_table_take(&sensor->tables[i], &record, &order_ns))
            flow_names_free(record.names);
    }
    const struct detection_tick tick = {.now_ns = sensor->now_ns, .received = sensor->packets, .last = last};
    detection_begin(sensor->detection, &tick);
    const struct evidence *shards[MOST_SHARDS];
    for (unsigned i = 0; i < sensor->shards; i++)
        shards[i] = &sensor->evidence[i];
    detection_merge(sensor->detection, shards, sensor->shards);
    for (unsigned i = 0; i < sensor->shards; i++)
        evidence_reset(&sensor->evidence[i]);
    detection_end(sensor->detection);
}

static void end(struct sensor *sensor)
{
    struct detect_status status;
    tick(sensor, true);
    detection_status(sensor->detection, &status);
    for (unsigned kind = 0; kind < ALERT_KINDS; kind++)
        assert(status.counts.active[kind] == 0);
    detection_destroy(sensor->detection);
    for (unsigned i = 0; i < sensor->shards; i++)
        flow_table_done(&sensor->tables[i]);
    for (unsigned i = 0; i < sensor->shards; i++)
        evidence_done(&sensor->evidence[i]);
}

static void take_frame(struct sensor *sensor, struct packet *packet)
{
    struct flow_key key;
    uint8_t sender;
    if (packet->time_ns > sensor->now_ns)
        sensor->now_ns = packet->time_ns;
    if (sensor->now_ns >= sensor->tick_end_ns) {
        tick(sensor, false);
        sensor->tick_end_ns = sensor->now_ns + tick_ns;
    }
    packet->now_ns = sensor->now_ns;
    packet->number = ++sensor->packets;
    decode_packet(packet, &(struct decode_options){.tunnels = true});
    if (!flow_key_of_packet(packet, &key, &sender))
        return;
    uint64_t hash = flow_hash(&key, HASH_SEED, sensor->shards);
    unsigned partition = partition_of(hash, sensor->tables[0].partitions);
    struct flow_table *table = &sensor->tables[partition % sensor->shards];
    struct flow_hit hit = {.sender = sender};
    flow_table_packet(table, packet, &key, hash, &hit);
    unsigned facts =
        (hit.peer_sent ? OBSERVED_RECEIVER_SENT : 0) | (hit.handshake_done ? OBSERVED_HANDSHAKE : 0);
    observe_packet(&sensor->evidence[partition % sensor->shards], partition, packet, facts, HASH_SEED);
}

static uint32_t word_at(const uint8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static void run(struct sensor *sensor, unsigned shards, const uint8_t *bytes, size_t length)
{
    begin(sensor, shards);
    for (size_t at = FILE_HEADER; at < length && length - at > RECORD_HEADER;) {
        const uint8_t *record = bytes + at;
        size_t left = length - at - RECORD_HEADER;
        struct packet packet;
        memset(&packet, 0, sizeof packet);
        packet.link_type = 1;
        packet.time_ns = word_at(record) * NS_PER_S + word_at(record + 4) % 1000000 * NS_PER_US;
        packet.captured = word_at(record + 8) % 2048;
        if (packet.captured > left)
            packet.captured = (uint32_t)left;
        packet.length = packet.captured;
        packet.bytes = record + RECORD_HEADER;
        at += RECORD_HEADER + packet.captured;
        take_frame(sensor, &packet);
    }
    end(sensor);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct sensor one, three;
    run(&one, 1, bytes, length);
    run(&three, MOST_SHARDS, bytes, length);
    assert(one.told == three.told && one.words == three.words);
    return 0;
}
