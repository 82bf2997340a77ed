// A client of a stream, for tests: what it was sent, and a sensor with alerts for it.
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "api/stream.h"
#include "base/time.h"
#include "calling.h"
#include "netscope/v1/stream.pb-c.h"

enum { MOST = 4096 };

// A client of a stream: what it was sent.
struct watching {
    struct reply reply;
    struct calling *calling;
    const struct method *method;
    struct stream *stream;
    int64_t now_ns;
    unsigned messages, starts, beats, ended;
    uint64_t bytes; // of all messages
    uint64_t events, sequence[MOST];
    uint64_t missing, at_most; // by gaps
    unsigned gaps;
    Netscope__V1__GapReason reason; // of the last gap
    bool count_known, caught_up;
    uint64_t caught_up_after; // events
    char cursor[128];
    Netscope__V1__StreamEndReason end;
    uint64_t last_sequence;
    struct status status;
    enum stream_state state;
};

static inline void take_gaps(struct watching *watching, Netscope__V1__StreamGap *const *gaps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        watching->gaps++;
        watching->reason = gaps[i]->reason;
        watching->count_known = gaps[i]->count_known;
        watching->missing += gaps[i]->count;
        watching->at_most += gaps[i]->at_most;
    }
}

static inline void take_beat(struct watching *watching, const Netscope__V1__StreamHeartbeat *beat)
{
    if (beat == NULL)
        return;
    watching->beats++;
    watching->last_sequence = beat->last_sequence;
    cr_expect_not_null(beat->time);
    if (beat->caught_up && !watching->caught_up)
        watching->caught_up_after = watching->events;
    watching->caught_up |= beat->caught_up;
}

static inline void take_watched(struct reply *reply, const uint8_t *bytes, size_t length)
{
    struct watching *watching = (struct watching *)reply;
    ProtobufCMessage *message = protobuf_c_message_unpack(watching->method->response, NULL, length, bytes);
    cr_assert_not_null(message);
    // Numbers and types of all but the events are the same in all responses.
    const Netscope__V1__WatchFlowsResponse *any = (const Netscope__V1__WatchFlowsResponse *)message;
    bool alerts = strcmp(watching->method->name, "WatchAlerts") == 0;
    watching->messages++;
    watching->bytes += length;
    watching->starts += any->start != NULL;
    cr_expect_eq(any->start != NULL, watching->messages == 1, "the first message, and no other");
    take_gaps(watching, any->gaps, any->n_gaps);
    for (size_t i = 0; i < any->n_events; i++)
        watching->sequence[watching->events++ % MOST] =
            alerts ? ((const Netscope__V1__WatchAlertsResponse *)message)->events[i]->sequence
                   : any->events[i]->sequence;
    strcpy(watching->cursor, any->cursor);
    take_beat(watching, any->heartbeat);
    if (any->end != NULL)
        watching->end = any->end->reason;
    protobuf_c_message_free_unpacked(message, NULL);
}

static inline void take_over(struct reply *reply, const struct status *status)
{
    struct watching *watching = (struct watching *)reply;
    watching->ended++;
    watching->status = *status;
}

static const struct reply_ops watching_ops = {take_watched, take_over};

static inline void open_watch(struct watching *watching, struct calling *calling, const char *path,
                              const char *json)
{
    struct status status;
    *watching = (struct watching){.reply = {&watching_ops}, .calling = calling, .now_ns = NS_PER_S};
    watching->method = method_find(path, &status);
    cr_assert_not_null(watching->method);
    struct request request = {REQUEST_JSON, (const uint8_t *)json, strlen(json)};
    watching->stream =
        method_open(watching->method, calling->api, &calling->caller, &request, &watching->reply);
}

// Steps until nothing more is to be sent.
static inline void step(struct watching *watching, bool ready)
{
    do
        watching->state = stream_step(watching->stream, watching->now_ns, ready, &watching->reply);
    while (watching->state == STREAM_GOES_ON);
}

static inline void watch(struct watching *watching, struct calling *calling, const char *path,
                         const char *json)
{
    open_watch(watching, calling, path, json);
    cr_assert_not_null(watching->stream, "%s: %s", json, watching->status.message);
    step(watching, true);
}

static inline void end_watch(struct watching *watching)
{
    stream_destroy(watching->stream);
    watching->stream = NULL;
}

enum { SCANS = 6 };

static inline uint32_t begin_with_alerts(struct calling *calling)
{
    begin_calling(calling, "sensor: {node_name: here}\nanalysis: {anomalies: {enabled: true}}\n");
    start_run(&calling->running);
    for (uint8_t source = 1; source <= SCANS; source++)
        send_scan(calling, 1000, source);
    return go_on_until(calling, 1001, has_alerts, SCANS);
}

static inline uint32_t scan_again(struct calling *calling, uint32_t second, uint8_t source, uint64_t alerts)
{
    send_scan(calling, second, source);
    return go_on_until(calling, second + 1, has_alerts, alerts);
}

static inline void watch_refused(struct calling *calling, const char *path, const char *json,
                                 const char *field, const char *part)
{
    struct watching watching;
    open_watch(&watching, calling, path, json);
    cr_assert_null(watching.stream, "%s", json);
    cr_expect_eq(watching.ended, 1);
    cr_expect_eq(watching.status.code, STATUS_INVALID_ARGUMENT, "%s", watching.status.message);
    cr_expect_str_eq(watching.status.violation[0].field, field, "%s: %s", json,
                     watching.status.violation[0].field);
    cr_expect_not_null(strstr(watching.status.violation[0].sentence, part), "%s", watching.status.message);
}
