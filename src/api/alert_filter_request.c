// AlertFilter, made ready: masks, networks and words.
#include <stdlib.h>
#include <string.h>

#include "api/field_path.h"
#include "api/filter_request.h"
#include "api/visibility.h"
#include "flow/filter.h"
#include "netscope/v1/filter.pb-c.h"

typedef Netscope__V1__AlertFilter Filter;

struct networks {
    const struct prefix *items;
    size_t count;
};

struct words {
    char **items;
    size_t count;
};

struct prepared_filter {
    uint32_t kinds, severities, lifecycles; // bits; 0 = any
    struct networks sources, targets, parties;
    struct words interfaces, ids, fingerprints;
};

struct alert_selection {
    struct build memory;
    size_t allow_count, deny_count;
    struct prepared_filter *filter; // `allow`, then `deny`
};

struct reading {
    struct status *status;
    const struct limits *limits; // of the caller
    struct build *memory;
    struct field_path path;
};

#define WRONG(reading, ...) status_violate((reading)->status, (reading)->path.text, __VA_ARGS__)

static bool few_enough(struct reading *reading, size_t count)
{
    return count <= FILTER_VALUES ||
           WRONG(reading, "%zu values are too many: give at most %d", count, FILTER_VALUES);
}

static uint32_t read_kinds(struct reading *reading, char *const *kinds, size_t count)
{
    uint32_t mask = 0;
    for (size_t i = 0; i < count; i++) {
        size_t before = field_path_enter(&reading->path, "kinds", (int)i);
        enum alert_kind kind = alert_kind_find(kinds[i]);
        if (kind == ALERT_KINDS)
            WRONG(reading, "\"%.40s\" is no kind of alert: syn_flood, port_scan, host_sweep...", kinds[i]);
        else
            mask |= UINT32_C(1) << kind;
        field_path_leave(&reading->path, before);
    }
    return mask;
}

// Bits of enums whose 0 says nothing.
static uint32_t read_mask(struct reading *reading, const char *name, const uint32_t *values, size_t count)
{
    uint32_t mask = 0;
    for (size_t i = 0; i < count; i++) {
        size_t before = field_path_enter(&reading->path, name, (int)i);
        if (values[i] == 0)
            WRONG(reading, "it says nothing: give one of the others");
        else
            mask |= UINT32_C(1) << (values[i] - 1);
        field_path_leave(&reading->path, before);
    }
    return mask;
}

static struct networks read_networks(struct reading *reading, const char *name, char *const *texts,
                                     size_t count)
{
    struct prefix *prefixes = build_part(reading->memory, count * sizeof *prefixes + 1);
    for (size_t i = 0; prefixes != NULL && i < count; i++) {
        size_t before = field_path_enter(&reading->path, name, (int)i);
        if (!few_enough(reading, count))
            ; // said already
        else if (!prefix_parse(texts[i], &prefixes[i]))
            WRONG(reading, "\"%.60s\" is no address or network (\"10.0.0.0/8\", host bits zero)", texts[i]);
        else if (!limits_hold_network(reading->limits, &prefixes[i]))
            status_deny(reading->status, reading->path.text,
                        "%.60s is not within the networks that you may see", texts[i]);
        field_path_leave(&reading->path, before);
    }
    return (struct networks){prefixes, prefixes != NULL ? count : 0};
}

static struct words read_words(struct reading *reading, const char *name, char *const *texts, size_t count)
{
    char **words = build_part(reading->memory, count * sizeof *words + 1);
    size_t before = field_path_enter(&reading->path, name, FIELD_PATH_WHOLE);
    few_enough(reading, count);
    for (size_t i = 0; words != NULL && i < count; i++) {
        size_t bytes = strlen(texts[i]) + 1;
        words[i] = build_part(reading->memory, bytes);
        if (words[i] != NULL)
            memcpy(words[i], texts[i], bytes);
    }
    field_path_leave(&reading->path, before);
    return (struct words){words, words != NULL ? count : 0};
}

static void read_filter(struct reading *reading, const Filter *from, struct prepared_filter *into)
{
    _Static_assert(sizeof(Netscope__V1__Severity) == sizeof(uint32_t), "enums are numbers");
    into->kinds = read_kinds(reading, from->kinds, from->n_kinds);
    into->severities =
        read_mask(reading, "severities", (const uint32_t *)from->severities, from->n_severities);
    into->lifecycles =
        read_mask(reading, "lifecycles", (const uint32_t *)from->lifecycles, from->n_lifecycles);
    into->sources = read_networks(reading, "sources", from->sources, from->n_sources);
    into->targets = read_networks(reading, "targets", from->targets, from->n_targets);
    into->parties = read_networks(reading, "parties", from->parties, from->n_parties);
    into->interfaces = read_words(reading, "interfaces", from->interfaces, from->n_interfaces);
    into->ids = read_words(reading, "ids", from->ids, from->n_ids);
    into->fingerprints = read_words(reading, "fingerprints", from->fingerprints, from->n_fingerprints);
}

static bool asks_nothing(const struct prepared_filter *filter)
{
    return (filter->kinds | filter->severities | filter->lifecycles) == 0 &&
           filter->sources.count + filter->targets.count + filter->parties.count == 0 &&
           filter->interfaces.count + filter->ids.count + filter->fingerprints.count == 0;
}

static void read_list(struct reading *reading, const char *name, Filter *const *from, size_t count,
                      struct prepared_filter *into)
{
    if (count > FILTER_ALTERNATIVES) {
        status_violate(reading->status, name, "%zu filters are too many: give at most %d", count,
                       FILTER_ALTERNATIVES);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        size_t before = field_path_enter(&reading->path, name, (int)i);
        read_filter(reading, from[i], &into[i]);
        if (strcmp(name, "deny") == 0 && asks_nothing(&into[i]))
            WRONG(reading, "a filter without a field denies every alert: give it one, or leave it out");
        field_path_leave(&reading->path, before);
    }
}

bool alert_filters_take(struct call *call, Filter *const *allow, size_t allow_count, Filter *const *deny,
                        size_t deny_count, struct alert_selection **out)
{
    struct alert_selection *selection = calloc(1, sizeof *selection);
    *out = NULL;
    if (selection == NULL)
        return status_set(&call->status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for the filters");
    build_init(&selection->memory);
    selection->allow_count = allow_count;
    selection->deny_count = deny_count;
    selection->filter =
        build_part(&selection->memory, (allow_count + deny_count) * sizeof selection->filter[0] + 1);
    struct reading reading = {.status = &call->status, .limits = call->limits, .memory = &selection->memory};
    if (selection->filter != NULL) {
        read_list(&reading, "allow", allow, allow_count, selection->filter);
        read_list(&reading, "deny", deny, deny_count, selection->filter + allow_count);
    }
    if (selection->memory.failed)
        status_set(&call->status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for the filters");
    if (call->status.code == STATUS_OK) {
        *out = selection;
        return true;
    }
    alert_selection_destroy(selection);
    return false;
}

void alert_selection_destroy(struct alert_selection *selection)
{
    if (selection == NULL)
        return;
    build_done(&selection->memory);
    free(selection);
}

static bool holds(const struct networks *networks, const struct alert_party *parties, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        for (size_t j = 0; j < networks->count; j++)
            if (prefix_contains(&networks->items[j], &parties[i].endpoint.address))
                return true;
    return false;
}

static bool parties_fit(const struct prepared_filter *filter, const struct alert *alert)
{
    if (filter->sources.count > 0 && !holds(&filter->sources, alert->source, alert->source_count))
        return false;
    if (filter->targets.count > 0 && !holds(&filter->targets, alert->target, alert->target_count))
        return false;
    return filter->parties.count == 0 || holds(&filter->parties, alert->source, alert->source_count) ||
           holds(&filter->parties, alert->target, alert->target_count);
}

static bool is_among(const struct words *words, const char *text)
{
    for (size_t i = 0; i < words->count; i++)
        if (strcmp(words->items[i], text) == 0)
            return true;
    return words->count == 0;
}

static bool is_in(uint32_t mask, uint8_t value)
{
    return mask == 0 || (mask >> value & 1) != 0;
}

static bool fits(const struct prepared_filter *filter, const struct alert_event *event)
{
    const struct alert *alert = &event->alert;
    return is_in(filter->kinds, alert->kind) && is_in(filter->severities, alert->severity) &&
           is_in(filter->lifecycles, alert->lifecycle) && parties_fit(filter, alert) &&
           is_among(&filter->interfaces, event->interface) && is_among(&filter->ids, alert->id) &&
           is_among(&filter->fingerprints, alert->fingerprint);
}

bool alert_selection_fits(const struct alert_selection *selection, const struct alert_event *event)
{
    const struct prepared_filter *denied = selection->filter + selection->allow_count;
    bool allowed = selection->allow_count == 0;
    for (size_t i = 0; i < selection->allow_count && !allowed; i++)
        allowed = fits(&selection->filter[i], event);
    for (size_t i = 0; i < selection->deny_count && allowed; i++)
        allowed = !fits(&denied[i], event);
    return allowed;
}
