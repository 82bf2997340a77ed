#include "aggregate/aggregate.h"

#include <assert.h>
#include <stdlib.h>

#include "aggregate/name_cache.h"
#include "aggregate/name_loader.h"
#include "base/log.h"

enum { NAME_CACHE_ENTRIES = 65536 };

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
    bool flows_wanted;                   // by a sink
    struct top_flow top[TICK_TOP_FLOWS]; // of the last interval
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

static void name_side(const struct aggregate *aggregate, struct named_flow *flow, int side)
{
    const struct address *address = &flow->record->endpoint[side].address;
    const struct name_row *row = naming_get(aggregate->naming, address);
    if (row != NULL) {
        flow->name[side] = row->name;
        flow->name_space[side] = row->name_space[0] != '\0' ? row->name_space : NULL;
        flow->name_source[side] = NAMED_BY_FILE;
        return;
    }
    flow->name[side] = name_cache_get(aggregate->cache, address);
    if (flow->name[side] != NULL)
        flow->name_source[side] = NAMED_BY_DNS;
}

static void give_flow(struct aggregate *aggregate, const struct flow_record *record)
{
    char interface[SINK_INTERFACE_BYTES];
    struct named_flow flow = {
        .record = record,
        .node = aggregate->node,
        .interface = sink_interface_name(aggregate->source, record->interface, interface),
        .direction = direction_of(aggregate, record),
    };
    char observed[OBSERVED_INTERFACES][SINK_INTERFACE_BYTES];
    for (unsigned i = 0; i < record->observed; i++)
        flow.observed[i] = sink_interface_name(aggregate->source, record->observed_at[i], observed[i]);
    name_side(aggregate, &flow, 0);
    name_side(aggregate, &flow, 1);
    for (unsigned i = 0; i < aggregate->sink_count; i++)
        if (aggregate->sinks[i]->ops->flow != NULL)
            aggregate->sinks[i]->ops->flow(aggregate->sinks[i], &flow);
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
    for (const struct flow_record *record; (record = tick_next_ended(tick)) != NULL;) {
        if (aggregate->flows_wanted)
            give_flow(aggregate, record);
        flow_names_free(record->names);
    }
    if (tick->totals->interval_end)
        aggregate->top_count = tick_top_flows(tick, aggregate->top, TICK_TOP_FLOWS);
    for (unsigned i = 0; i < aggregate->sink_count; i++)
        if (aggregate->sinks[i]->ops->tick != NULL)
            aggregate->sinks[i]->ops->tick(aggregate->sinks[i], tick->totals, tick->now_ns);
    snapshot_publish(&aggregate->snapshots, tick, aggregate->top, aggregate->top_count);
}

struct name_loader *aggregate_names(struct aggregate *aggregate)
{
    return aggregate->loader;
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

struct aggregate *aggregate_create(const struct settings *settings, const char *node,
                                   const struct source *source, uint64_t hash_seed, struct error *error)
{
    struct aggregate *aggregate = calloc(1, sizeof *aggregate);
    if (aggregate != NULL)
        snapshot_board_init(&aggregate->snapshots);
    if (aggregate == NULL || (aggregate->cache = name_cache_create(NAME_CACHE_ENTRIES, hash_seed)) == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for the names of addresses");
        aggregate_destroy(aggregate);
        return NULL;
    }
    aggregate->consumer.tick = take_tick;
    aggregate->node = node;
    aggregate->source = source;
    if (!load_names(aggregate, &settings->names, error)) {
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
    aggregate->flows_wanted |= sink->ops->flow != NULL;
}

struct tick_consumer *aggregate_consumer(struct aggregate *aggregate)
{
    return &aggregate->consumer;
}

bool aggregate_finish(struct aggregate *aggregate, const struct totals *totals, struct error *error)
{
    bool good = true;
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
