#include "report/alerts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool alert_list_init(struct alert_list *list, unsigned top)
{
    *list = (struct alert_list){.top = top};
    list->rows = calloc(top, sizeof list->rows[0]);
    return list->rows != NULL;
}

void alert_list_done(struct alert_list *list)
{
    free(list->rows);
}

static struct alert_event *find(struct alert_list *list, const char *id)
{
    for (unsigned i = 0; i < list->alerts.count; i++)
        if (strcmp(list->rows[i].alert.id, id) == 0)
            return &list->rows[i];
    return NULL;
}

// The more severe first, then the earlier.
static int compare(const void *left, const void *right)
{
    const struct alert *one = &((const struct alert_event *)left)->alert;
    const struct alert *other = &((const struct alert_event *)right)->alert;
    if (one->severity != other->severity)
        return one->severity > other->severity ? -1 : 1;
    if (one->first_seen_ns != other->first_seen_ns)
        return one->first_seen_ns < other->first_seen_ns ? -1 : 1;
    return strcmp(one->id, other->id);
}

// The place for an alert that is not listed; NULL when it is behind all that are.
static struct alert_event *make_room(struct alert_list *list, const struct alert_event *event)
{
    if (list->alerts.count < list->top)
        return &list->rows[list->alerts.count++];
    struct alert_event *last = &list->rows[0];
    for (unsigned i = 1; i < list->alerts.count; i++)
        if (compare(&list->rows[i], last) > 0)
            last = &list->rows[i];
    return compare(event, last) < 0 ? last : NULL;
}

// The last word on it has nothing new to show but that it ended.
static void renew(struct alert_event *row, const struct alert_event *event)
{
    uint64_t suppressed = row->alert.suppressed_count + event->alert.suppressed_count;
    if (event->alert.lifecycle != ALERT_ENDED)
        *row = *event;
    row->alert.lifecycle = event->alert.lifecycle;
    row->alert.revision = event->alert.revision;
    row->alert.last_seen_ns = event->alert.last_seen_ns;
    row->alert.suppressed_count = suppressed;
}

void alert_list_add(struct alert_list *list, const struct alert_event *event)
{
    assert(event->alert.kind < ALERT_KINDS);
    struct alert_event *row = find(list, event->alert.id);
    if (event->alert.lifecycle == ALERT_STARTED) {
        list->alerts.raised++;
        list->alerts.by_kind[event->alert.kind]++;
    }
    if (row != NULL) {
        renew(row, event);
    } else {
        row = make_room(list, event);
        if (row != NULL)
            *row = *event;
    }
}

void alert_list_finish(struct alert_list *list, struct report_summary *summary)
{
    qsort(list->rows, list->alerts.count, sizeof list->rows[0], compare);
    summary->alerts = list->alerts;
    summary->alerts.rows = list->rows;
}
