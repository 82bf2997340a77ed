#include "api/stream_message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/snapshot.h"
#include "api/visibility.h"
#include "api/wire.h"
#include "base/time.h"
#include "netscope/v1/flow_service.pb-c.h"
#include "netscope/v1/stream.pb-c.h"

enum { LONGEST = STREAM_MOST_BYTES + (1 << 20), GAPS = 4, EVENTS_FIELD = 4 };

#define SAME(ours, message) static_assert((int)(ours) == (int)(NETSCOPE__V1__##message), #ours)
SAME(GAP_SLOW_READER, GAP_REASON__GAP_REASON_SLOW_READER);
SAME(GAP_LAPPED, GAP_REASON__GAP_REASON_LAPPED);
SAME(GAP_AWAY, GAP_REASON__GAP_REASON_AWAY);
SAME(GAP_RESTARTED, GAP_REASON__GAP_REASON_RESTARTED);
SAME(GAP_OTHER_SENSOR, GAP_REASON__GAP_REASON_OTHER_SENSOR);
SAME(STREAM_END_LIMIT, STREAM_END_REASON__STREAM_END_REASON_LIMIT);
SAME(STREAM_END_UNTIL, STREAM_END_REASON__STREAM_END_REASON_UNTIL);
SAME(STREAM_END_BACKLOG, STREAM_END_REASON__STREAM_END_REASON_BACKLOG);
SAME(STREAM_END_RUN_OVER, STREAM_END_REASON__STREAM_END_REASON_RUN_OVER);
SAME(STREAM_DROP_OLDEST + 1, ON_SLOW__ON_SLOW_DROP_OLDEST);
SAME(STREAM_DROP_NEWEST + 1, ON_SLOW__ON_SLOW_DROP_NEWEST);
SAME(STREAM_DISCONNECT + 1, ON_SLOW__ON_SLOW_DISCONNECT);
#undef SAME

void stream_message_init(struct stream_message *message, const struct limits *limits)
{
    *message = (struct stream_message){.limits = limits, .withheld = limits_narrowing(limits) != NULL};
    build_init(&message->build);
    strbuf_init(&message->bytes, LONGEST);
    message->head = build_part(&message->build, sizeof *message->head);
    if (message->head != NULL)
        netscope__v1__watch_flows_response__init(message->head);
}

void stream_message_done(struct stream_message *message)
{
    strbuf_done(&message->bytes);
    build_done(&message->build);
}

void stream_message_identify(struct stream_message *message, const char *node, const char *instance,
                             const char *cursor)
{
    if (message->head == NULL)
        return;
    message->head->node = build_text(&message->build, node);
    message->head->instance_id = build_text(&message->build, instance);
    message->head->cursor = build_text(&message->build, cursor);
}

static void fill_gap(struct stream_message *message, Netscope__V1__StreamGap *into, const struct gap *gap,
                     uint64_t oldest_available)
{
    netscope__v1__stream_gap__init(into);
    into->reason = (Netscope__V1__GapReason)gap->reason;
    into->count = gap->count_known ? gap->count : 0;
    into->count_known = gap->count_known;
    if (gap->at_most > 0 && !message->withheld) {
        into->at_most_value_case = NETSCOPE__V1__STREAM_GAP__AT_MOST_VALUE_AT_MOST;
        into->at_most = gap->at_most;
    }
    if (gap->from_ns <= gap->to_ns) {
        into->from_time = build_time(&message->build, gap->from_ns);
        into->to_time = build_time(&message->build, gap->to_ns);
    }
    into->oldest_available = message->withheld ? 0 : oldest_available;
}

// Gaps come first and are few: those of the start, and one of what was left out.
static void add_gap(struct stream_message *message, const struct gap *gap, uint64_t oldest_available)
{
    struct Netscope__V1__WatchFlowsResponse *head = message->head;
    if (head == NULL)
        return;
    if (message->gap_room == 0)
        message->gap_room = build_rows(&message->build, &head->gaps, GAPS, sizeof **head->gaps);
    assert(head->n_gaps < GAPS);
    if (message->gap_room > 0)
        fill_gap(message, head->gaps[head->n_gaps++], gap, oldest_available);
}

void stream_message_add(struct stream_message *message, const struct stream_entry *entry,
                        uint64_t oldest_available)
{
    if (entry->is_gap) {
        add_gap(message, &entry->gap, oldest_available);
        return;
    }
    wire_add_span(&message->bytes, EVENTS_FIELD, entry->bytes, entry->length);
}

void stream_message_start(struct stream_message *message, const struct stream_options *options,
                          const struct stream_oldest *oldest)
{
    Netscope__V1__StreamStarted *start = build_part(&message->build, sizeof *start);
    if (start == NULL || message->head == NULL)
        return;
    netscope__v1__stream_started__init(start);
    start->max_events = options->events;
    start->max_bytes = options->bytes;
    start->max_delay = build_duration(&message->build, options->delay_ns);
    start->heartbeat_interval = build_duration(&message->build, options->heartbeat_ns);
    start->on_slow = (Netscope__V1__OnSlow)((int)options->policy + 1);
    start->max_queue_bytes = options->queue_bytes;
    start->n_limits = build_limits(&message->build, message->limits, &start->limits);
    start->oldest_available = message->withheld ? 0 : oldest->sequence;
    if (oldest->exists && !message->withheld)
        start->oldest_time = build_time(&message->build, oldest->time_ns);
    message->head->start = start;
}

void stream_message_beat(struct stream_message *message, const struct stream_pulse *pulse,
                         const struct stream_oldest *oldest)
{
    Netscope__V1__StreamHeartbeat *beat = build_part(&message->build, sizeof *beat);
    if (beat == NULL || message->head == NULL)
        return;
    netscope__v1__stream_heartbeat__init(beat);
    beat->time = build_time(&message->build, pulse->time_ns);
    beat->caught_up = pulse->caught_up;
    beat->dropped = pulse->dropped;
    message->head->heartbeat = beat;
    if (message->withheld)
        return;
    beat->last_sequence = pulse->last_sequence;
    if (oldest->exists)
        beat->oldest_time = build_time(&message->build, oldest->time_ns);
    if (pulse->snapshot != NULL && pulse->snapshot->totals.received > 0) {
        const struct totals *totals = &pulse->snapshot->totals;
        beat->loss_ratio_value_case = NETSCOPE__V1__STREAM_HEARTBEAT__LOSS_RATIO_VALUE_LOSS_RATIO;
        beat->loss_ratio = (double)totals_lost(totals) / (double)totals->received;
    }
}

void stream_message_end(struct stream_message *message, enum stream_end reason, uint64_t events,
                        uint64_t dropped)
{
    Netscope__V1__StreamEnd *end = build_part(&message->build, sizeof *end);
    if (end == NULL || message->head == NULL)
        return;
    netscope__v1__stream_end__init(end);
    end->reason = (Netscope__V1__StreamEndReason)reason;
    end->events = events;
    end->dropped = dropped;
    message->head->end = end;
}

bool stream_message_pack(struct stream_message *message)
{
    if (message->head == NULL || message->build.failed)
        return false;
    size_t length = netscope__v1__watch_flows_response__get_packed_size(message->head);
    uint8_t *head = malloc(length + 1);
    if (head == NULL)
        return false;
    netscope__v1__watch_flows_response__pack(message->head, head);
    strbuf_add_bytes(&message->bytes, head, length);
    free(head);
    return !message->bytes.failed;
}
