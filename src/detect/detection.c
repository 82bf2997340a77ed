#include "detect/detection.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "detect/tick_evidence.h"

enum { PANES = 10, DETECTORS_MOST = 16 };
// In which it is seen whether answers are seen, and how much was lost.
static const int64_t pane_ns = 30 * NS_PER_S;
// Of flows with payload, with both directions; and how many flows say so.
static const double two_way_share = 0.05;
enum { FLOWS_TO_SAY_SO = 20 };

struct pane {
    struct seen_ways ways[WAYS];
    uint64_t received, lost;
};

enum direction_verdict { DIRECTIONS_UNKNOWN, DIRECTIONS_ONE, DIRECTIONS_BOTH };

struct detection {
    struct judge *judge;
    struct detector *detectors[DETECTORS_MOST]; // by the table; NULL = off
    struct detector_setup setup;                // for those that are switched on later
    struct detect_places places;
    struct detection_tick tick;
    struct tick_evidence evidence;
    struct pane panes[PANES];
    int64_t pane_begin_ns;
    unsigned pane;
    uint64_t received, lost; // of the last tick
    uint64_t evidence_refused;
    bool began;
    enum direction_verdict seen[WAYS]; // the last that flows said: it holds until they say otherwise
};

static bool is_on(const struct detector_row *row, const struct anomaly_settings *settings)
{
    return settings->enabled && detector_settings_of(row, settings)->enabled;
}

// Makes those that are switched on and drops those that are switched off. Without memory for one it stays off.
static bool match(struct detection *detection, const struct anomaly_settings *settings)
{
    bool whole = true;
    struct detector_setup setup = {settings, &detection->places, &detection->detectors[0],
                                   detection->setup.hash_seed};
    assert(detector_table[0]->kind == ALERT_PORT_SCAN);
    for (unsigned i = 0; i < detector_count; i++) {
        struct detector **detector = &detection->detectors[i];
        bool on = is_on(detector_table[i], settings);
        if (on && *detector == NULL) {
            whole &= (*detector = detector_table[i]->ops->create(detector_table[i], &setup)) != NULL;
        } else if (!on && *detector != NULL) {
            detector_table[i]->ops->destroy(*detector);
            *detector = NULL;
        } else if (on) {
            detector_table[i]->ops->change(*detector, settings);
        }
    }
    return whole;
}

struct detection *detection_create(const struct detection_setup *setup)
{
    assert(detector_count <= DETECTORS_MOST);
    struct detection *detection = calloc(1, sizeof *detection);
    if (detection == NULL)
        return NULL;
    struct judge_setup judge = {setup->settings->max_alerts_per_minute, setup->tell, setup->owner};
    detection->places = *setup->places;
    detection->setup.hash_seed = setup->hash_seed;
    detection->judge = judge_create(&judge, setup->hash_seed);
    if (detection->judge != NULL && match(detection, setup->settings))
        return detection;
    detection_destroy(detection);
    return NULL;
}

void detection_destroy(struct detection *detection)
{
    if (detection == NULL)
        return;
    for (unsigned i = 0; i < detector_count; i++)
        if (detection->detectors[i] != NULL)
            detector_table[i]->ops->destroy(detection->detectors[i]);
    judge_destroy(detection->judge);
    tick_evidence_done(&detection->evidence);
    free(detection);
}

void detection_change(struct detection *detection, const struct anomaly_settings *settings)
{
    judge_change(detection->judge, settings->max_alerts_per_minute);
    match(detection, settings);
}

static void add_ways(struct seen_ways *to, const struct seen_ways *from)
{
    to->with_payload += from->with_payload;
    to->two_way += from->two_way;
}

static struct pane sum_of(const struct detection *detection)
{
    struct pane sum = {0};
    for (int i = 0; i < PANES; i++) {
        for (int way = 0; way < WAYS; way++)
            add_ways(&sum.ways[way], &detection->panes[i].ways[way]);
        sum.received += detection->panes[i].received;
        sum.lost += detection->panes[i].lost;
    }
    return sum;
}

static enum direction_verdict read_ways(const struct seen_ways *ways)
{
    if (ways->with_payload < FLOWS_TO_SAY_SO)
        return DIRECTIONS_UNKNOWN;
    return (double)ways->two_way < two_way_share * (double)ways->with_payload ? DIRECTIONS_ONE
                                                                              : DIRECTIONS_BOTH;
}

// TCP speaks for both: a flood of datagrams with forged sources has one direction, too. UDP speaks for itself where TCP
// says nothing.
static void find_one_way(struct detection *detection, bool one_way[WAYS])
{
    struct pane sum = sum_of(detection);
    for (int way = 0; way < WAYS; way++) {
        enum direction_verdict now = read_ways(&sum.ways[way]);
        if (now != DIRECTIONS_UNKNOWN)
            detection->seen[way] = now;
    }
    enum direction_verdict tcp = detection->seen[WAY_TCP], udp = detection->seen[WAY_UDP];
    one_way[WAY_TCP] = tcp == DIRECTIONS_ONE;
    one_way[WAY_UDP] = tcp == DIRECTIONS_ONE || (tcp == DIRECTIONS_UNKNOWN && udp == DIRECTIONS_ONE);
}

static void turn_panes(struct detection *detection, int64_t now_ns)
{
    if (!detection->began)
        detection->pane_begin_ns = now_ns;
    detection->began = true;
    for (int turned = 0; now_ns - detection->pane_begin_ns >= pane_ns; turned++) {
        if (turned == PANES) {
            detection->pane_begin_ns = now_ns;
            break;
        }
        detection->pane = (detection->pane + 1) % PANES;
        detection->panes[detection->pane] = (struct pane){0};
        detection->pane_begin_ns += pane_ns;
    }
}

void detection_begin(struct detection *detection, const struct detection_tick *tick)
{
    turn_panes(detection, tick->now_ns);
    struct pane *pane = &detection->panes[detection->pane];
    pane->received += tick->received - detection->received;
    pane->lost += tick->lost - detection->lost;
    detection->received = tick->received;
    detection->lost = tick->lost;
    detection->tick = *tick;
    struct pane sum = sum_of(detection);
    uint64_t all = sum.received > sum.lost ? sum.received : sum.lost;
    judge_begin(detection->judge, tick->now_ns, tick->offset_ns,
                all != 0 ? (double)sum.lost / (double)all : 0);
}

void detection_merge(struct detection *detection, const struct evidence *const *shards, unsigned shard_count)
{
    struct pane *pane = &detection->panes[detection->pane];
    struct tick_evidence *evidence = &detection->evidence;
    bool whole = tick_evidence_gather(evidence, shards, shard_count);
    for (unsigned i = 0; i < shard_count; i++) {
        for (int way = 0; way < WAYS; way++)
            add_ways(&pane->ways[way], &shards[i]->ways[way]);
        detection->evidence_refused += shards[i]->refused + (whole ? 0 : shards[i]->contacts.count);
    }
    find_one_way(detection, evidence->one_way);
    for (unsigned i = 0; i < detector_count; i++)
        if (detection->detectors[i] != NULL)
            detector_table[i]->ops->merge(detection->detectors[i], evidence, detection->tick.now_ns);
}

void detection_end(struct detection *detection)
{
    for (unsigned i = 0; i < detector_count; i++)
        if (detection->detectors[i] != NULL)
            detector_table[i]->ops->judge(detection->detectors[i], detection->judge, detection->tick.now_ns);
    judge_end(detection->judge);
    if (detection->tick.last)
        judge_finish(detection->judge);
}

void detection_status(const struct detection *detection, struct detect_status *status)
{
    const bool *one_way = detection->evidence.one_way;
    bool degraded = one_way[WAY_TCP] || one_way[WAY_UDP];
    *status = (struct detect_status){.counts = *judge_counts(detection->judge),
                                     .evidence_refused = detection->evidence_refused};
    for (unsigned i = 0; i < detector_count; i++) {
        status->enabled[detector_table[i]->kind] = detection->detectors[i] != NULL;
        status->degraded[detector_table[i]->kind] =
            detection->detectors[i] != NULL && degraded && detector_table[i]->by_answers;
    }
}
