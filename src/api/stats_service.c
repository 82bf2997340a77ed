// StatsService: counters of the latest tick, once or at each interval.
#include <assert.h>

#include "aggregate/snapshot.h"
#include "api/call.h"
#include "api/filter_request.h"
#include "api/stream.h"
#include "base/time.h"
#include "netscope/v1/stats.pb-c.h"

static uint64_t decode_errors(const struct totals *totals)
{
    uint64_t sum = 0;
    for (unsigned layer = 0; layer < DECODE_LAYERS; layer++)
        for (unsigned reason = 0; reason < DECODE_REASONS; reason++)
            sum += reason != DECODE_OK ? totals->decode_errors[layer][reason] : 0;
    return sum;
}

static uint64_t flows_ended(const struct totals *totals)
{
    uint64_t sum = 0;
    for (unsigned reason = 0; reason < END_REASONS; reason++)
        sum += reason != END_ACTIVE ? totals->flows_ended[reason] : 0;
    return sum;
}

static uint64_t alerts_told(const struct judge_counts *counts)
{
    uint64_t sum = 0;
    for (unsigned kind = 0; kind < ALERT_KINDS; kind++)
        for (unsigned severity = 0; severity < ALERT_SEVERITIES; severity++)
            sum += counts->told[kind][severity];
    return sum;
}

static Netscope__V1__Counters *build_counters(struct build *build, const struct snapshot *snapshot)
{
    const struct totals *totals = &snapshot->totals;
    Netscope__V1__Counters *counters = build_part(build, sizeof *counters);
    if (counters == NULL)
        return NULL;
    netscope__v1__counters__init(counters);
    counters->packets_received = totals->received;
    counters->bytes_received = totals->received_bytes;
    counters->packets_analysed = totals->analysed;
    counters->bytes_analysed = totals->analysed_bytes;
    counters->packets_duplicate = totals->duplicate;
    counters->packets_lost = totals_lost(totals);
    counters->decode_errors = decode_errors(totals);
    counters->flows_active = totals->flows_active;
    counters->flows_created = totals->flows_created;
    counters->flows_ended = flows_ended(totals);
    counters->flow_table_bytes = totals->flow_table_bytes;
    counters->dns_messages = totals->dns_messages;
    counters->tls_hellos = totals->tls_hellos;
    counters->alerts = alerts_told(&snapshot->detect.counts);
    return counters;
}

// What came from one moment to the next; NULL when no time passed.
static Netscope__V1__Rates *build_rates(struct build *build, const struct snapshot_mark *from,
                                        const struct snapshot_mark *to)
{
    double seconds = time_seconds_between(from->now_ns, to->now_ns);
    Netscope__V1__Rates *rates = seconds > 0 ? build_part(build, sizeof *rates) : NULL;
    if (rates == NULL)
        return NULL;
    assert(to->received_bytes >= from->received_bytes && to->flows_created >= from->flows_created);
    netscope__v1__rates__init(rates);
    rates->bits_per_second = (double)(to->received_bytes - from->received_bytes) * 8 / seconds;
    rates->packets_per_second = (double)(to->received - from->received) / seconds;
    rates->flows_per_second = (double)(to->flows_created - from->flows_created) / seconds;
    rates->interval = build_duration(build, to->now_ns - from->now_ns);
    return rates;
}

bool stats_get(struct call *call, struct ProtobufCMessage *request)
{
    typedef Netscope__V1__GetStatsResponse Stats;
    Stats *stats = CALL_RESPONSE(call, Stats, netscope__v1__get_stats_response__init);
    const struct snapshot *snapshot = control_snapshot(call->api->control);
    (void)request;
    if (stats != NULL) {
        CALL_IDENTIFY(call, stats);
        stats->start_time = build_time(&call->build, call->api->start_ns);
    }
    if (stats != NULL && snapshot != NULL)
        stats->as_of = build_time(&call->build, snapshot->now_ns);
    if (stats != NULL && snapshot != NULL &&
        call->limits == NULL) { // they are the sensor's, not the caller's
        struct snapshot_mark now = snapshot_mark_of(snapshot);
        stats->counters = build_counters(&call->build, snapshot);
        stats->rates = build_rates(&call->build, &snapshot->before, &now);
    }
    snapshot_release(snapshot);
    return true;
}

// WatchStats. Nothing waits for its reader: a message is made of the latest snapshot when it can be sent.

enum { LEAST_INTERVAL_MS = 100 };

struct stats_stream {
    struct stream stream; // first
    int64_t interval_ns;
    int64_t next_ns; // when the next message is due; 0 = at once
    int64_t wake_ns;
    bool withheld; // from this caller are all figures
    bool has_told;
    struct snapshot_mark told; // with the message before
};

static void fill_stats(struct stats_stream *stream, struct build *build, const struct snapshot *snapshot,
                       Netscope__V1__WatchStatsResponse *stats)
{
    struct snapshot_mark now = snapshot_mark_of(snapshot), from = snapshot->before;
    if (stream->has_told && stream->told.now_ns < now.now_ns)
        from = stream->told;
    stats->as_of = build_time(build, snapshot->now_ns);
    if (!stream->withheld) {
        stats->counters = build_counters(build, snapshot);
        stats->rates = build_rates(build, &from, &now);
    }
    stream->told = now;
    stream->has_told = true;
}

// False without memory.
static bool send_stats(struct stats_stream *stream, uint64_t skipped, struct reply *reply)
{
    const struct api *api = stream->stream.api;
    const struct snapshot *snapshot = control_snapshot(api->control);
    Netscope__V1__WatchStatsResponse stats;
    struct build build;
    size_t length;
    build_init(&build);
    netscope__v1__watch_stats_response__init(&stats);
    stats.node = build_text(&build, control_node(api->control));
    stats.instance_id = build_borrowed(api->instance);
    stats.start_time = build_time(&build, api->start_ns);
    stats.skipped = skipped;
    if (snapshot != NULL)
        fill_stats(stream, &build, snapshot, &stats);
    snapshot_release(snapshot);
    uint8_t *bytes = build_packed(&build, &stats.base, &length);
    bool good = !build.failed;
    if (good)
        reply->ops->send(reply, bytes, length);
    build_done(&build);
    return good;
}

static enum stream_state step_stats(struct stream *any, int64_t now_ns, bool ready, struct reply *reply)
{
    struct stats_stream *stream = (struct stats_stream *)any;
    bool over = control_is_over(any->api->control); // before the snapshot is taken
    if (stream->next_ns == 0)
        stream->next_ns = now_ns;
    bool due = over || now_ns >= stream->next_ns;
    stream->wake_ns = due ? now_ns + stream->interval_ns : stream->next_ns;
    if (!ready || !due)
        return STREAM_WAITS;
    int64_t late_ns = now_ns > stream->next_ns ? now_ns - stream->next_ns : 0;
    uint64_t skipped = (uint64_t)(late_ns / stream->interval_ns);
    struct status status = STATUS_FINE;
    stream_count_dropped(any, STREAM_CONFLATE, any->dropped + skipped);
    stream->next_ns += (int64_t)(skipped + 1) * stream->interval_ns;
    stream->wake_ns = stream->next_ns;
    bool good = send_stats(stream, skipped, reply);
    if (!good)
        status_set(&status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for the counters");
    return good && !over ? STREAM_GOES_ON : stream_end(reply, &status);
}

static int64_t stats_due_ns(const struct stream *any)
{
    return ((const struct stats_stream *)any)->wake_ns;
}

static void stats_done(struct stream *any)
{
    (void)any; // it holds nothing
}

struct stream *stats_watch(struct call *call, struct ProtobufCMessage *message)
{
    static const struct stream_ops ops = {step_stats, stats_due_ns, stats_done};
    const Netscope__V1__WatchStatsRequest *request = (const Netscope__V1__WatchStatsRequest *)message;
    int64_t interval_ns;
    if (!duration_take(&call->status, "interval", request->interval, LEAST_INTERVAL_MS * NS_PER_MS,
                       60 * NS_PER_S, NS_PER_S, &interval_ns))
        return NULL;
    struct stats_stream *stream = stream_create(call, STREAM_OF_STATS, &ops, sizeof *stream);
    if (stream == NULL)
        return NULL;
    stream->interval_ns = interval_ns;
    stream->withheld = call->limits != NULL;
    return &stream->stream;
}
