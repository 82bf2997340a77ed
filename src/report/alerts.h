// The part of the report that lists alerts: as each was told last, the most severe ones. Internal to the report; one
// thread. Memory: `top` events.
#pragma once

#include "report/summary.h"

struct alert_list {
    unsigned top;
    struct report_alerts alerts;
    struct alert_event *rows; // owned
};

bool alert_list_init(struct alert_list *list, unsigned top); // false without memory
void alert_list_done(struct alert_list *list);
void alert_list_add(struct alert_list *list, const struct alert_event *event);
// The part `alerts` of the summary, sorted; valid as long as the list.
void alert_list_finish(struct alert_list *list, struct report_summary *summary);
