// StatsService: counters of the latest tick.
#include "aggregate/snapshot.h"
#include "api/call.h"
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

static Netscope__V1__Counters *build_counters(struct call *call, const struct snapshot *snapshot)
{
    const struct totals *totals = &snapshot->totals;
    Netscope__V1__Counters *counters = build_part(&call->build, sizeof *counters);
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
    if (stats != NULL && snapshot != NULL) {
        stats->as_of = build_time(&call->build, snapshot->now_ns);
        stats->counters = build_counters(call, snapshot);
    }
    snapshot_release(snapshot);
    return true;
}
