#include "api/stream_options.h"

#include <google/protobuf/timestamp.pb-c.h>
#include <stdio.h>

#include "api/filter_request.h"
#include "base/time.h"
#include "netscope/v1/stream.pb-c.h"

typedef Netscope__V1__StreamOptions Options;

static bool take_time(struct call *call, const char *field, const Google__Protobuf__Timestamp *from,
                      int64_t *out_ns)
{
    bool fits = from->nanos >= 0 && from->nanos < NS_PER_S &&
                !__builtin_mul_overflow(from->seconds, NS_PER_S, out_ns) &&
                !__builtin_add_overflow(*out_ns, (int64_t)from->nanos, out_ns);
    return fits || status_violate(&call->status, field, "it is a time of the years 1678 to 2261");
}

static void take_cursor(struct call *call, enum cursor_log log, const char *text, struct stream_options *out)
{
    static const char field[] = "options.start.resume_after";
    out->from = FROM_CURSOR;
    out->cursor = cursor_read(call->api, log, text, &out->next);
    snprintf(out->resumed, sizeof out->resumed, "%s", text);
    if (out->cursor == CURSOR_MALFORMED)
        status_violate(&call->status, field, "it is no cursor");
    if (out->cursor == CURSOR_OTHER_LOG)
        status_violate(&call->status, field, "it is a cursor of another stream");
}

static void take_start(struct call *call, enum cursor_log log, const Netscope__V1__StreamStart *from,
                       struct stream_options *out)
{
    switch (from != NULL ? from->from_case : NETSCOPE__V1__STREAM_START__FROM__NOT_SET) {
    case NETSCOPE__V1__STREAM_START__FROM_RESUME_AFTER:
        take_cursor(call, log, from->resume_after, out);
        break;
    case NETSCOPE__V1__STREAM_START__FROM_SINCE:
        out->from = FROM_TIME;
        take_time(call, "options.start.since", from->since, &out->since_ns);
        break;
    case NETSCOPE__V1__STREAM_START__FROM_LAST:
        out->from = FROM_LAST;
        out->last = from->last;
        if (from->last == 0 || from->last > STREAM_LAST)
            status_violate(&call->status, "options.start.last", "give 1 to %d", STREAM_LAST);
        break;
    default:
        out->from = FROM_ANYWHERE;
    }
}

static void take_batch(struct call *call, const Netscope__V1__StreamBatch *from, struct stream_options *out)
{
    if (from == NULL)
        return;
    if (from->max_events_value_case == NETSCOPE__V1__STREAM_BATCH__MAX_EVENTS_VALUE_MAX_EVENTS)
        out->events = from->max_events;
    if (from->max_bytes_value_case == NETSCOPE__V1__STREAM_BATCH__MAX_BYTES_VALUE_MAX_BYTES)
        out->bytes = from->max_bytes;
    if (out->events == 0 || out->events > STREAM_EVENTS)
        status_violate(&call->status, "options.batch.max_events", "give 1 to %d", STREAM_EVENTS);
    if (out->bytes < 1024 || out->bytes > STREAM_MOST_BYTES)
        status_violate(&call->status, "options.batch.max_bytes", "give 1024 to %d", STREAM_MOST_BYTES);
    duration_take(&call->status, "options.batch.max_delay", from->max_delay, 0, NS_PER_S, out->delay_ns,
                  &out->delay_ns);
}

static void take_end(struct call *call, const Options *from, struct stream_options *out)
{
    out->follow = from->follow;
    out->limit = from->limit;
    out->has_until = from->until != NULL;
    if (from->until == NULL)
        return;
    take_time(call, "options.until", from->until, &out->until_ns);
    if (from->follow)
        status_violate(&call->status, "options.until", "with follow there is no end: leave one of them out");
}

static enum stream_policy policy_of(Netscope__V1__OnSlow on_slow)
{
    if (on_slow == NETSCOPE__V1__ON_SLOW__ON_SLOW_DROP_NEWEST)
        return STREAM_DROP_NEWEST;
    return on_slow == NETSCOPE__V1__ON_SLOW__ON_SLOW_DISCONNECT ? STREAM_DISCONNECT : STREAM_DROP_OLDEST;
}

bool stream_options_take(struct call *call, enum cursor_log log,
                         const struct Netscope__V1__StreamOptions *from, int64_t delay_ns,
                         struct stream_options *out)
{
    *out = (struct stream_options){.heartbeat_ns = 10 * NS_PER_S,
                                   .delay_ns = delay_ns,
                                   .events = STREAM_EVENTS,
                                   .bytes = STREAM_BYTES,
                                   .queue_bytes = STREAM_QUEUE_BYTES};
    if (from == NULL)
        return true;
    take_start(call, log, from->start, out);
    take_end(call, from, out);
    take_batch(call, from->batch, out);
    duration_take(&call->status, "options.heartbeat_interval", from->heartbeat_interval, NS_PER_S,
                  60 * NS_PER_S, out->heartbeat_ns, &out->heartbeat_ns);
    out->policy = policy_of(from->on_slow);
    if (from->max_queue_bytes != 0)
        out->queue_bytes = from->max_queue_bytes;
    if (out->queue_bytes < 4096 || out->queue_bytes > STREAM_MOST_QUEUE_BYTES)
        status_violate(&call->status, "options.max_queue_bytes", "give 4096 to %d, or 0 for %d",
                       STREAM_MOST_QUEUE_BYTES, STREAM_QUEUE_BYTES);
    return call->status.code == STATUS_OK;
}
