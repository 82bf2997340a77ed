// Alerting: detection where the ticks of all shards meet, and the log of what it tells. The aggregate's thread but for
// alerting_change() and the log.
#pragma once

#include "aggregate/alert_event.h"
#include "aggregate/naming.h"
#include "capture/source.h"
#include "config/settings.h"
#include "detect/allow_list.h"
#include "detect/detection.h"
#include "pipeline/tick.h"

struct alerting;

// What detection is to follow: made by whoever has the settings, handed over, and owned by alerting from then on.
struct alert_plan {
    struct anomaly_settings settings; // numbers; texts and lists are not looked at
    struct allow_list *allow;         // owned
};
struct alert_plan *alert_plan_create(const struct anomaly_settings *settings, bool enabled,
                                     struct error *error);
void alert_plan_destroy(struct alert_plan *plan); // takes NULL

struct alerting_setup {
    struct alert_plan *take_plan;
    const char *node; // borrowed, as the next two
    const struct source *source;
    struct naming *const *naming; // where the aggregate has it
    uint64_t hash_seed;
    uint64_t capacity; // of the log, at most ALERTS_KEPT
    // An alert is made, and goes out when this returns: whoever knows names puts them in.
    void (*made)(void *owner, struct alert_event *event);
    void *owner;
};
enum { ALERTS_KEPT = 4096 };                    // an hour at the greatest rate; 18 MB when full
uint64_t alerting_log_bytes(uint64_t capacity); // that the log takes at most

// Takes the plan, on failure too.
struct alerting *alerting_create(const struct alerting_setup *setup, struct error *error);
void alerting_destroy(struct alerting *alerting); // takes NULL

void alerting_tick(struct alerting *alerting, const struct pipeline_tick *tick);
// No more come.
void alerting_close(struct alerting *alerting);
void alerting_status(const struct alerting *alerting, struct detect_status *status);

// Any thread: in force from the next tick on.
void alerting_change(struct alerting *alerting, struct alert_plan *take_plan);
struct event_log *alerting_log(struct alerting *alerting);
