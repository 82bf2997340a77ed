#include "aggregate/aggregate.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "aggregate/answer.h"
#include "aggregate/name_cache.h"
#include "aggregate/name_loader.h"
#include "aggregate/name_search.h"
#include "base/log.h"
#include "config/config.h"
#include "pipeline/question.h"

enum { // as Direction and NameSource in flow.proto
    DIRECTION_INBOUND = 1,
    DIRECTION_OUTBOUND,
    DIRECTION_INTERNAL,
    DIRECTION_TRANSIT,
    NAMED_BY_FILE = 1,
    NAMED_BY_DNS,
};

struct aggregate {
    struct tick_consumer consumer; // first: the pipeline's handle
    const char *node;
    const struct source *source;
    struct name_cache *cache;
    struct name_loader *loader;
    struct naming *naming; // taken from the loader
    struct sink *sinks[AGGREGATE_SINKS];
    unsigned sink_count;
    bool flows_wanted; // by a sink
    struct alerting *alerting;
    struct event_log *flows;
    struct flow_block *block; // of the log, that is being filled; NULL = none
    unsigned given;           // of its events
    uint8_t instance_id[INSTANCE_ID_BYTES];
    char interface[1 + OBSERVED_INTERFACES][SINK_INTERFACE_BYTES]; // for aggregate_name_record()
    struct top_flow top[TICK_TOP_FLOWS];                           // of the last interval
    unsigned top_count;
    struct snapshot_board snapshots;
};

static uint8_t direction_of(const struct aggregate *aggregate, const struct flow_record *record)
{
    int client = record->client == 1;
    bool client_local = naming_is_local(aggregate->naming, &record->endpoint[client].address);
    bool server_local = naming_is_local(aggregate->naming, &record->endpoint[!client].address);
    if (client_local)
        return server_local ? DIRECTION_INTERNAL : DIRECTION_OUTBOUND;
    return server_local ? DIRECTION_INBOUND : DIRECTION_TRANSIT;
}

// Of an address: where its name comes from, 0 = it has none; then the texts are NULL.
static uint8_t name_of(const struct aggregate *aggregate, const struct address *address, const char **name,
                       const char **name_space)
{
    const struct name_row *row = naming_get(aggregate->naming, address);
    *name = row != NULL ? row->name : name_cache_get(aggregate->cache, address);
    *name_space = row != NULL ? row->name_space : NULL;
    if (row != NULL)
        return NAMED_BY_FILE;
    return *name != NULL ? NAMED_BY_DNS : 0;
}

static void name_side(const struct aggregate *aggregate, struct flow_event *event, int side)
{
    event->name_source[side] =
        name_of(aggregate, &event->record.endpoint[side].address, &event->text[EVENT_TEXT_NAME + side],
                &event->text[EVENT_TEXT_NAMESPACE + side]);
}

static void name_party(const struct aggregate *aggregate, const struct alert_party *party,
                       struct alert_name *into)
{
    const char *name, *name_space;
    into->name_source = name_of(aggregate, &party->endpoint.address, &name, &name_space);
    snprintf(into->name, sizeof into->name, "%s", name != NULL ? name : "");
    snprintf(into->name_space, sizeof into->name_space, "%s", name_space != NULL ? name_space : "");
}

// An alert gets its names and goes to the sinks; the log is alerting's.
static void give_alert(void *owner, struct alert_event *event)
{
    struct aggregate *aggregate = owner;
    const struct alert *alert = &event->alert;
    for (unsigned i = 0; i < alert->source_count; i++)
        name_party(aggregate, &alert->source[i], &event->source_name[i]);
    for (unsigned i = 0; i < alert->target_count; i++)
        name_party(aggregate, &alert->target[i], &event->target_name[i]);
    for (unsigned i = 0; i < aggregate->sink_count; i++)
        if (aggregate->sinks[i]->ops->alert != NULL)
            aggregate->sinks[i]->ops->alert(aggregate->sinks[i], event);
}

static void place(struct aggregate *aggregate, struct flow_event *event)
{
    const struct flow_record *record = &event->record;
    event->direction = direction_of(aggregate, record);
    event->text[EVENT_TEXT_NODE] = aggregate->node;
    event->text[EVENT_TEXT_INTERFACE] =
        sink_interface_name(aggregate->source, record->interface, aggregate->interface[0]);
    for (unsigned i = 0; i < record->observed; i++)
        event->text[EVENT_TEXT_OBSERVED + i] =
            sink_interface_name(aggregate->source, record->observed_at[i], aggregate->interface[1 + i]);
}

void aggregate_name_record(struct aggregate *aggregate, const struct flow_record *record,
                           struct flow_event *event)
{
    assert(record->observed <= OBSERVED_INTERFACES);
    memmove(&event->record, record, sizeof *record); // gcc copies by a slow instruction, memmove() does not
    event->name_source[0] = event->name_source[1] = 0;
    event->community_id[0] = '\0';
    memset(event->text, 0, sizeof event->text);
    if (record->names != NULL)
        memcpy(event->text, record->names->text, sizeof record->names->text);
    place(aggregate, event);
    name_side(aggregate, event, 0);
    name_side(aggregate, event, 1);
}

// The events that are made and not given yet go out: to the readers of the log, then to the sinks.
static void give_run(struct aggregate *aggregate)
{
    struct flow_block *block = aggregate->block;
    unsigned begin = aggregate->given, count = block != NULL ? block->head.made - begin : 0;
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
    aggregate_name_record(aggregate, record, event);
    flow_block_keep(aggregate->block);
}

static void give_flows(struct aggregate *aggregate, struct pipeline_tick *tick)
{
    if (tick->last)
        event_log_begin_end(aggregate->flows);
    bool wanted = aggregate->flows_wanted || event_log_is_read(aggregate->flows);
    for (const struct flow_record *record; (record = tick_next_ended(tick)) != NULL;) {
        if (wanted)
            make_event(aggregate, record);
        flow_names_free(record->names);
    }
    give_run(aggregate);
    event_log_wake(aggregate->flows);
}

static void give_dns(struct aggregate *aggregate, const struct dns_transaction *transaction)
{
    for (unsigned i = 0; i < transaction->addresses; i++)
        name_cache_put(aggregate->cache, &transaction->answer[i].address, transaction->name.text);
    for (unsigned i = 0; i < aggregate->sink_count; i++)
        if (aggregate->sinks[i]->ops->dns != NULL)
            aggregate->sinks[i]->ops->dns(aggregate->sinks[i], transaction);
}

// Names first: an answer names the flows that end in its tick.
static void take_tick(struct tick_consumer *consumer, struct pipeline_tick *tick)
{
    struct aggregate *aggregate = (struct aggregate *)consumer;
    aggregate->naming = name_loader_take(aggregate->loader, aggregate->naming);
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
}

static const struct name_row *file_rows(const struct aggregate *aggregate, size_t *count)
{
    *count = 0;
    const struct name_file *file = aggregate->naming != NULL ? aggregate->naming->file : NULL;
    return file != NULL ? name_file_rows(file, count) : NULL;
}

size_t aggregate_name_places(const struct aggregate *aggregate, const void **naming)
{
    size_t rows;
    file_rows(aggregate, &rows);
    *naming = aggregate->naming;
    return rows + name_cache_places(aggregate->cache);
}

const char *aggregate_name_at(const struct aggregate *aggregate, size_t place, struct prefix *prefix)
{
    size_t rows;
    const struct name_row *row = file_rows(aggregate, &rows);
    if (place >= rows)
        return name_cache_at(aggregate->cache, place - rows, prefix);
    *prefix = row[place].prefix;
    return row[place].name;
}

// Answers are named and placed as records are that leave.
static void take_answer(struct tick_consumer *consumer, struct question *question)
{
    answer_place_rows((struct aggregate *)consumer, question->page);
}

static bool serve(struct tick_consumer *consumer, struct message *message)
{
    return name_search_serve((struct name_search *)message, (const struct aggregate *)consumer);
}

struct name_loader *aggregate_names(struct aggregate *aggregate)
{
    return aggregate->loader;
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

static bool load_names(struct aggregate *aggregate, const struct names_settings *settings,
                       struct error *error)
{
    bool watching = !aggregate->source->ops->lossless;
    aggregate->loader = name_loader_create(settings, watching, error);
    if (aggregate->loader == NULL)
        return false;
    aggregate->naming = name_loader_take(aggregate->loader, NULL);
    return true;
}

static bool create_log(struct aggregate *aggregate, uint64_t capacity, struct error *error)
{
    struct event_log_setup setup = {
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
        .node = aggregate->node,
        .source = aggregate->source,
        .naming = &aggregate->naming,
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
    if (aggregate != NULL)
        snapshot_board_init(&aggregate->snapshots);
    if (aggregate == NULL || (aggregate->cache = name_cache_create(bounds->names, hash_seed)) == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for the names of addresses");
        aggregate_destroy(aggregate);
        return NULL;
    }
    aggregate->consumer = (struct tick_consumer){.tick = take_tick, .answer = take_answer, .serve = serve};
    aggregate->node = node;
    aggregate->source = source;
    if (!create_log(aggregate, bounds->events, error) || !load_names(aggregate, &settings->names, error) ||
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
    name_cache_destroy(aggregate->cache);
    naming_destroy(aggregate->naming);
    name_loader_destroy(aggregate->loader);
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
