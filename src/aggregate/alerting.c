#include "aggregate/alerting.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "aggregate/sink.h"
#include "base/log.h"

struct alerting {
    struct alerting_setup setup;
    struct event_log *log;
    struct alert_block *block; // that is being filled; NULL = none
    struct detection *detection;
    struct alert_plan *plan;           // in force
    int64_t offset_ns;                 // of the tick: flow time minus stamps
    _Atomic(struct alert_plan *) next; // NULL = no news
};

struct alert_plan *alert_plan_create(const struct anomaly_settings *settings, bool enabled,
                                     struct error *error)
{
    struct alert_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for the detectors' settings");
        return NULL;
    }
    plan->settings = *settings;
    plan->settings.enabled = enabled;
    plan->settings.allow = (struct string_list){0};
    plan->allow = allow_list_create(&settings->allow, error);
    if (plan->allow != NULL)
        return plan;
    free(plan);
    return NULL;
}

void alert_plan_destroy(struct alert_plan *plan)
{
    if (plan == NULL)
        return;
    allow_list_destroy(plan->allow);
    free(plan);
}

// What detectors ask.

static bool is_local(const void *owner, const struct address *address)
{
    const struct alerting *alerting = owner;
    return *alerting->setup.naming != NULL && naming_is_local(*alerting->setup.naming, address);
}

static bool is_allowed(const void *owner, const struct endpoint *source, const struct endpoint *target,
                       int64_t now_ns)
{
    const struct alerting *alerting = owner;
    return allow_list_covers(alerting->plan->allow, source, target, now_ns - alerting->offset_ns);
}

// The log.

static struct alert_event *next_event(struct alerting *alerting)
{
    struct alert_block *block = alerting->block;
    if (block != NULL && block->head.made == ALERT_BLOCK_EVENTS) {
        event_log_shut(alerting->log);
        block = NULL;
    }
    if (block == NULL)
        block = alerting->block = (struct alert_block *)(void *)event_log_open(alerting->log);
    assert(block == NULL || block->head.made < ALERT_BLOCK_EVENTS);
    return block != NULL ? &block->events[block->head.made] : NULL;
}

static void tell(void *owner, const struct alert *alert)
{
    struct alerting *alerting = owner;
    struct alert_event *event = next_event(alerting);
    if (event == NULL) {
        event_log_skip(alerting->log, 1);
        return;
    }
    *event = (struct alert_event){.alert = *alert, .node = alerting->setup.node};
    event->sequence = alerting->block->head.first + alerting->block->head.made;
    if (alert->has_interface) {
        char text[SINK_INTERFACE_BYTES];
        snprintf(event->interface, sizeof event->interface, "%s",
                 sink_interface_name(alerting->setup.source, alert->interface, text));
    }
    alerting->setup.made(alerting->setup.owner, event);
    alerting->block->head.made++;
    bool out = event_log_publish(alerting->log, true);
    assert(out); // an alert is finished when it is made
}

static uint64_t log_capacity(uint64_t capacity)
{
    return capacity < ALERTS_KEPT ? capacity : ALERTS_KEPT;
}

uint64_t alerting_log_bytes(uint64_t capacity)
{
    return event_log_most_blocks(log_capacity(capacity), ALERT_BLOCK_EVENTS) * sizeof(struct alert_block);
}

struct alerting *alerting_create(const struct alerting_setup *setup, struct error *error)
{
    struct alerting *alerting = calloc(1, sizeof *alerting);
    if (alerting == NULL) {
        alert_plan_destroy(setup->take_plan);
        error_set(error, ERROR_EXHAUSTED, "no memory for alerts");
        return NULL;
    }
    alerting->setup = *setup;
    alerting->plan = setup->take_plan;
    struct event_log_setup log = {
        .capacity = log_capacity(setup->capacity),
        .block_bytes = sizeof(struct alert_block),
        .block_events = ALERT_BLOCK_EVENTS,
        .keep_history = true,
    };
    struct detect_places places = {is_local, is_allowed, alerting};
    struct detection_setup detection = {
        .settings = &alerting->plan->settings,
        .places = &places,
        .hash_seed = setup->hash_seed,
        .tell = tell,
        .owner = alerting,
    };
    alerting->log = event_log_create(&log);
    alerting->detection = alerting->log != NULL ? detection_create(&detection) : NULL;
    if (alerting->detection != NULL)
        return alerting;
    error_set(error, ERROR_EXHAUSTED,
              "no memory for the detectors: switch some off (analysis.anomalies.*.enabled)");
    alerting_destroy(alerting);
    return NULL;
}

void alerting_destroy(struct alerting *alerting)
{
    if (alerting == NULL)
        return;
    detection_destroy(alerting->detection);
    if (alerting->log != NULL)
        event_log_destroy(alerting->log);
    alert_plan_destroy(alerting->plan);
    alert_plan_destroy(atomic_load(&alerting->next));
    free(alerting);
}

void alerting_change(struct alerting *alerting, struct alert_plan *take_plan)
{
    assert(take_plan != NULL);
    alert_plan_destroy(atomic_exchange(&alerting->next, take_plan));
}

static void follow_settings(struct alerting *alerting)
{
    struct alert_plan *next = atomic_exchange(&alerting->next, NULL);
    if (next == NULL)
        return;
    alert_plan_destroy(alerting->plan);
    alerting->plan = next;
    detection_change(alerting->detection, &next->settings);
}

static void tell_expired(struct alerting *alerting, int64_t now_ns)
{
    for (const char *entry; (entry = allow_list_expired(alerting->plan->allow, now_ns)) != NULL;)
        log_warning("detect",
                    "an entry of analysis.anomalies.allow has expired and covers nothing any more: %s",
                    entry);
}

void alerting_tick(struct alerting *alerting, const struct pipeline_tick *tick)
{
    if (atomic_load_explicit(&alerting->next, memory_order_relaxed) != NULL)
        follow_settings(alerting);
    struct detection_tick detection = {
        .now_ns = tick->now_ns,
        .offset_ns = tick->totals->clock_offset_ns,
        .received = tick->totals->received,
        .lost = totals_lost(tick->totals),
        .last = tick->last,
    };
    alerting->offset_ns = detection.offset_ns;
    tell_expired(alerting, detection.now_ns - detection.offset_ns);
    if (tick->last)
        event_log_begin_end(alerting->log);
    detection_begin(alerting->detection, &detection);
    const struct evidence *shards[PIPELINE_WORKERS];
    for (unsigned i = 0; i < tick->run_count; i++)
        shards[i] = &tick->runs[i]->report->evidence;
    detection_merge(alerting->detection, shards, tick->run_count);
    detection_end(alerting->detection);
    event_log_wake(alerting->log);
}

void alerting_close(struct alerting *alerting)
{
    event_log_close(alerting->log);
}

void alerting_status(const struct alerting *alerting, struct detect_status *status)
{
    detection_status(alerting->detection, status);
}

struct event_log *alerting_log(struct alerting *alerting)
{
    return alerting->log;
}
