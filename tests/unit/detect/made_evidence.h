// Evidence for the tests of detectors that judge by target: made packets are observed as a shard does, in the partitions
// that their flows fall into, and ticks are merged and judged as aggregate does. Times are those of packets.h.
#pragma once

#include "detect/detector.h"
#include "detect/observe.h"
#include "detect/targets.h"
#include "detect/tick_evidence.h"
#include "packets.h"

enum { MADE_PARTITIONS = FLOW_PARTITIONS, MADE_TOLD = 64 };

static const uint64_t made_seed = 17;

struct made_evidence {
    struct evidence all;
};

static inline void observe(struct made_evidence *made, const struct packet *packet, unsigned facts)
{
    struct flow_key key;
    uint8_t sender;
    cr_assert(flow_key_of_packet(packet, &key, &sender));
    unsigned partition = (unsigned)(flow_key_hash(&key, made_seed) >> 32) % MADE_PARTITIONS;
    observe_packet(&made->all, partition, packet, facts, made_seed);
}

static inline void made_evidence_reset(struct made_evidence *made)
{
    evidence_reset(&made->all);
}

static inline void made_evidence_done(struct made_evidence *made)
{
    evidence_done(&made->all);
}

static inline uint64_t hash_of(struct endpoint target)
{
    return target_hash(&target.address, target.port, made_seed);
}

// What was counted of a target in all partitions.
static inline uint64_t counted(const struct made_evidence *made, enum target_kind kind,
                               struct endpoint target, unsigned which)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < MADE_PARTITIONS; i++) {
        const struct target_table *table = made->all.targets[kind];
        const struct target_row *row;
        for (unsigned place = 0; table != NULL && (row = target_table_next(table, i, &place)) != NULL;)
            sum += row->hash == hash_of(target) ? row->counts[which] : 0;
    }
    return sum;
}

// A detector with its judge.
struct judging {
    struct made_evidence evidence;
    struct anomaly_settings settings;
    struct detect_places places;
    struct judge *judge;
    struct detector *detector, *port_scan; // the latter is off, but for tests that switch it on
    struct tick_evidence tick;
    struct endpoint allowed; // is covered as a source or target; version 0 = nobody
    uint64_t packets;        // observed
    unsigned told_count;
    struct alert told[MADE_TOLD];
};

static inline void note_told(void *owner, const struct alert *alert)
{
    struct judging *judging = owner;
    cr_assert_lt(judging->told_count, MADE_TOLD);
    judging->told[judging->told_count++] = *alert;
}

static inline bool is_one(const struct endpoint *endpoint, const struct endpoint *allowed)
{
    return endpoint->address.version != 0 && address_compare(&endpoint->address, &allowed->address) == 0;
}

static inline bool made_is_allowed(const void *owner, const struct endpoint *source,
                                   const struct endpoint *target, int64_t now_ns)
{
    const struct judging *judging = owner;
    (void)now_ns;
    return is_one(source, &judging->allowed) || is_one(target, &judging->allowed);
}

// 10.0.0.0/8, and no other.
static inline bool made_is_local(const void *owner, const struct address *address)
{
    (void)owner;
    return address->version == 4 && address->bytes[0] == 10;
}

// What reference section 5 has.
static inline struct anomaly_settings default_settings(void)
{
    const struct scan_settings scan = {
        {.enabled = true, .window_secs = 60, .cooldown_secs = 60},
        .unique_threshold = 25,
        .slow_window_secs = 300,
        .slow_threshold = 60,
        .slow_targets = 100,
        .slow_targets_inside = 250,
    };
    const struct detector_settings five = {.enabled = true, .window_secs = 5, .cooldown_secs = 60};
    const struct detector_settings one = {.enabled = true, .window_secs = 1, .cooldown_secs = 60};
    return (struct anomaly_settings){
        .enabled = true,
        .wait_secs = 2,
        .max_alerts_per_minute = 60,
        .port_scan = scan,
        .host_sweep = scan,
        .syn_flood = {five, .syn_threshold = 200, .unique_src_threshold = 50, .outstanding_threshold = 2000,
                      .flood_threshold = 4000},
        .reflection = {one, .packets_per_sec_threshold = 500, .unique_src_threshold = 10,
                       .flood_per_sec_threshold = 5000},
        .udp_flood = {five, .packets_per_sec_threshold = 10000, .answer_ratio = 20},
        .icmp_flood = {five, .packets_per_sec_threshold = 1000, .answer_ratio = 20},
    };
}

static inline struct judging *judging_create(const struct detector_row *row)
{
    struct judging *judging = calloc(1, sizeof *judging);
    const struct judge_setup setup = {.tell = note_told, .owner = judging};
    judging->settings = default_settings();
    judging->places = (struct detect_places){made_is_local, made_is_allowed, judging};
    judging->judge = judge_create(&setup, made_seed);
    const struct detector_setup detector_setup = {&judging->settings, &judging->places, &judging->port_scan,
                                                  made_seed};
    judging->detector = row->ops->create(row, &detector_setup);
    cr_assert(judging->judge != NULL && judging->detector != NULL);
    return judging;
}

static inline void judging_destroy(struct judging *judging)
{
    judging->detector->row->ops->destroy(judging->detector);
    judge_destroy(judging->judge);
    made_evidence_done(&judging->evidence);
    tick_evidence_done(&judging->tick);
    free(judging);
}

static inline void see(struct judging *judging, struct packet packet, unsigned facts)
{
    packet.number = ++judging->packets;
    observe(&judging->evidence, &packet, facts);
}

static inline void merge_tick(struct judging *judging, int64_t now_ns)
{
    const struct evidence *shards[] = {&judging->evidence.all};
    cr_assert(tick_evidence_gather(&judging->tick, shards, 1));
    judging->detector->row->ops->merge(judging->detector, &judging->tick, now_ns);
}

// The tick that ends then; how many alerts were told in it.
static inline unsigned judge_tick_at(struct judging *judging, int64_t at_ns)
{
    int64_t now_ns = TEST_START_NS + at_ns;
    const struct detector_ops *ops = judging->detector->row->ops;
    unsigned before = judging->told_count;
    judge_begin(judging->judge, now_ns, 0, 0);
    merge_tick(judging, now_ns);
    ops->judge(judging->detector, judging->judge, now_ns);
    judge_end(judging->judge);
    made_evidence_reset(&judging->evidence);
    return judging->told_count - before;
}

// 10.1.x.y: one of 65,536 others.
static inline struct address other(unsigned number)
{
    return address_v4((const uint8_t[4]){10, 1, (uint8_t)(number >> 8), (uint8_t)number});
}
