#include "aggregate/aggregate.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "aggregate/answer.h"
#include "aggregate/name_search.h"
#include "aggregate/namer.h"
#include "base/log.h"
#include "capture/clock.h"
#include "config/config.h"
#include "pipeline/question.h"

struct aggregate {
    struct tick_consumer consumer; // first: the pipeline's handle
    struct namer namer;
    struct sink *sinks[AGGREGATE_SINKS];
    unsigned sink_count;
    bool flows_wanted; // by a sink
    struct alerting *alerting;
    struct event_log *flows;
    struct flow_block *block; // of the log, that is being filled; NULL = none
    unsigned given;           // of its events
    uint8_t instance_id[INSTANCE_ID_BYTES];
    struct top_flow top[TICK_TOP_FLOWS]; // of the last interval
    unsigned top_count;
    struct snapshot_board snapshots;
};

// An alert gets its names and goes to the sinks; the log is alerting's.
static void give_alert(void *owner, struct alert_event *event)
{
    struct aggregate *aggregate = owner;
    namer_name_alert(&aggregate->namer, event);
    for (unsigned i = 0; i < aggregate->sink_count; i++)
        if (aggregate->sinks[i]->ops->alert != NULL)
            aggregate->sinks[i]->ops->alert(aggregate->sinks[i], event);
}

// The events that are made and not given yet go out: to the readers of the log, then to the sinks.
static void give_run(struct aggregate *aggregate)
{
    struct flow_block *block = aggregate->block;
    unsigned begin = aggregate->given, count = block != NULL ? block->head.made - begin : 0;
    assert(block == NULL || begin <= block->head.made);
    if (count == 0)
        return;
    if (!event_log_publish(aggregate->flows, false)) {
        for (unsigned i = begin; i < block->head.made; i++)
            flow_event_identify(&block->events[i]);
        event_log_publish(aggregate->flows, true);
    }
    for (unsigned i = 0; i < aggregate->sink_count; i++)
        if (aggregate->sinks[i]->ops->run != NULL)
            aggregate->sinks[i]->ops->run(aggregate->sinks[i], &block->events[begin], count);
    aggregate->given += count;
}

static void open_block(struct aggregate *aggregate)
{
    aggregate->block = (struct flow_block *)(void *)event_log_open(aggregate->flows);
    aggregate->given = 0;
}

// The place for the next event; NULL without memory.
static struct flow_event *next_event(struct aggregate *aggregate)
{
    if (aggregate->block == NULL)
        open_block(aggregate);
    struct flow_event *event = aggregate->block != NULL ? flow_block_next(aggregate->block) : NULL;
    if (event != NULL || aggregate->block == NULL)
        return event;
    give_run(aggregate);
    event_log_shut(aggregate->flows);
    open_block(aggregate);
    return aggregate->block != NULL ? flow_block_next(aggregate->block) : NULL;
}

static void make_event(struct aggregate *aggregate, const struct flow_record *record)
{
    struct flow_event *event = next_event(aggregate);
    if (event == NULL) {
        event_log_skip(aggregate->flows, 1);
        return;
    }
    namer_name_record(&aggregate->namer, record, event);
    flow_block_keep(aggregate->block);
}

// Events that nobody wants are not made, but they have their numbers: who comes back learns how many there were.
static void count_unmade(struct aggregate *aggregate, uint64_t events)
{
    if (events == 0)
        return;
    event_log_skip(aggregate->flows, events);
    aggregate->block = NULL;
    aggregate->given = 0;
}

static void give_flows(struct aggregate *aggregate, struct pipeline_tick *tick)
{
    if (tick->last)
        event_log_begin_end(aggregate->flows);
    bool wanted = aggregate->flows_wanted || event_log_is_read(aggregate->flows);
    uint64_t unmade = 0;
    for (const struct flow_record *record; (record = tick_next_ended(tick)) != NULL;) {
        if (wanted)
            make_event(aggregate, record);
        unmade += !wanted;
        flow_names_free(record->names);
    }
    give_run(aggregate);
    count_unmade(aggregate, unmade);
    event_log_wake(aggregate->flows);
}

static void give_dns(struct aggregate *aggregate, const struct dns_transaction *transaction)
{
    namer_learn(&aggregate->namer, transaction);
    for (unsigned i = 0; i < aggregate->sink_count; i++)
        if (aggregate->sinks[i]->ops->dns != NULL)
            aggregate->sinks[i]->ops->dns(aggregate->sinks[i], transaction);
}

// Names first: an answer names the flows that end in its tick.
static void take_tick(struct tick_consumer *consumer, struct pipeline_tick *tick)
{
    struct aggregate *aggregate = (struct aggregate *)consumer;
    int64_t begin_ns = clock_now_ns();
    namer_refresh(&aggregate->namer);
    for (const struct dns_transaction *dns; (dns = tick_next_dns(tick)) != NULL;)
        give_dns(aggregate, dns);
    give_flows(aggregate, tick);
    alerting_tick(aggregate->alerting, tick);
    if (tick->totals->interval_end)
        aggregate->top_count = tick_top_flows(tick, aggregate->top, TICK_TOP_FLOWS);
    for (unsigned i = 0; i < aggregate->sink_count; i++)
        if (aggregate->sinks[i]->ops->tick != NULL)
            aggregate->sinks[i]->ops->tick(aggregate->sinks[i], tick->totals, tick->now_ns);
    struct detect_status detect;
    alerting_status(aggregate->alerting, &detect);
    atomic_store_explicit(&consumer->behind, event_log_is_pressed(aggregate->flows), memory_order_relaxed);
    snapshot_publish(&aggregate->snapshots, tick, aggregate->top, aggregate->top_count, &detect);
    snapshot_count_duration(&aggregate->snapshots, clock_now_ns() - begin_ns);
}

// Answers are named and placed as records are that leave.
static void take_answer(struct tick_consumer *consumer, struct question *question)
{
    answer_place_rows(&((struct aggregate *)consumer)->namer, question->page);
}

static bool serve(struct tick_consumer *consumer, struct message *message)
{
    return name_search_serve((struct name_search *)message, &((struct aggregate *)consumer)->namer);
}

struct name_loader *aggregate_names(struct aggregate *aggregate)
{
    return aggregate->namer.loader;
}

struct event_log *aggregate_flow_events(struct aggregate *aggregate)
{
    return aggregate->flows;
}

struct event_log *aggregate_alert_events(struct aggregate *aggregate)
{
    return alerting_log(aggregate->alerting);
}

void aggregate_change_alerts(struct aggregate *aggregate, struct alert_plan *take_plan)
{
    alerting_change(aggregate->alerting, take_plan);
}

const uint8_t *aggregate_instance_id(const struct aggregate *aggregate)
{
    return aggregate->instance_id;
}

struct snapshot_board *aggregate_snapshots(struct aggregate *aggregate)
{
    return &aggregate->snapshots;
}

const struct top_flow *aggregate_top_flows(const struct aggregate *aggregate, unsigned *count)
{
    *count = aggregate->top_count;
    return aggregate->top;
}

// What was found in files stays to be asked for; live the log is for those who read it.
static bool create_log(struct aggregate *aggregate, const struct settings *settings, uint64_t capacity,
                       struct error *error)
{
    bool files = settings->capture.read_pcap.count > 0;
    struct event_log_setup setup = {
        .keep_history = files && settings_serve(settings) && !settings->run.exit_at_end,
        .capacity = capacity,
        .block_bytes = sizeof(struct flow_block),
        .block_events = FLOW_BLOCK_EVENTS,
    };
    aggregate->flows = event_log_create(&setup);
    if (aggregate->flows == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for the event log: lower events.capacity");
    return getrandom(aggregate->instance_id, INSTANCE_ID_BYTES, 0) == INSTANCE_ID_BYTES ||
           error_set(error, ERROR_UNAVAILABLE, "the kernel gave no random instance id: %s", strerror(errno));
}

static bool begin_alerting(struct aggregate *aggregate, const struct settings *settings, uint64_t hash_seed,
                           uint64_t capacity, struct error *error)
{
    struct alert_plan *plan =
        alert_plan_create(&settings->analysis.anomalies, settings_detect(settings), error);
    if (plan == NULL)
        return false;
    struct alerting_setup setup = {
        .take_plan = plan,
        .node = aggregate->namer.node,
        .source = aggregate->namer.source,
        .naming = &aggregate->namer.naming,
        .hash_seed = hash_seed,
        .capacity = capacity,
        .made = give_alert,
        .owner = aggregate,
    };
    aggregate->alerting = alerting_create(&setup, error);
    return aggregate->alerting != NULL;
}

struct aggregate *aggregate_create(const struct settings *settings, const char *node,
                                   const struct source *source, uint64_t hash_seed,
                                   const struct aggregate_bounds *bounds, struct error *error)
{
    struct aggregate *aggregate = calloc(1, sizeof *aggregate);
    if (aggregate == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for the aggregate");
        return NULL;
    }
    snapshot_board_init(&aggregate->snapshots);
    aggregate->consumer = (struct tick_consumer){.tick = take_tick, .answer = take_answer, .serve = serve};
    struct namer_setup naming = {
        .node = node,
        .source = source,
        .settings = &settings->names,
        .entries = bounds->names,
        .hash_seed = hash_seed,
    };
    if (!namer_init(&aggregate->namer, &naming, error) ||
        !create_log(aggregate, settings, bounds->events, error) ||
        !begin_alerting(aggregate, settings, hash_seed, bounds->events, error)) {
        aggregate_destroy(aggregate);
        return NULL;
    }
    return aggregate;
}

void aggregate_destroy(struct aggregate *aggregate)
{
    if (aggregate == NULL)
        return;
    for (unsigned i = 0; i < aggregate->sink_count; i++)
        aggregate->sinks[i]->ops->destroy(aggregate->sinks[i]);
    alerting_destroy(aggregate->alerting);
    event_log_destroy(aggregate->flows);
    snapshot_board_done(&aggregate->snapshots);
    namer_done(&aggregate->namer);
    free(aggregate);
}

void aggregate_add_sink(struct aggregate *aggregate, struct sink *sink)
{
    assert(aggregate->sink_count < AGGREGATE_SINKS);
    aggregate->sinks[aggregate->sink_count++] = sink;
    aggregate->flows_wanted |= sink->ops->run != NULL;
}

struct tick_consumer *aggregate_consumer(struct aggregate *aggregate)
{
    return &aggregate->consumer;
}

bool aggregate_finish(struct aggregate *aggregate, const struct totals *totals, struct error *error)
{
    bool good = true;
    event_log_close(aggregate->flows);
    alerting_close(aggregate->alerting);
    for (unsigned i = 0; i < aggregate->sink_count; i++) {
        struct sink *sink = aggregate->sinks[i];
        struct error failure;
        if (sink->ops->finish == NULL || sink->ops->finish(sink, totals, &failure))
            continue;
        if (good)
            *error = failure;
        else
            log_error("output", "%s", failure.text);
        good = false;
    }
    return good;
}
