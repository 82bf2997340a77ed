#include "base/metric.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

void metric_registry_init(struct metric_registry *registry)
{
    *registry = (struct metric_registry){0};
    pthread_mutex_init(&registry->lock, NULL);
}

void metric_registry_done(struct metric_registry *registry)
{
    pthread_mutex_destroy(&registry->lock);
}

static const struct metric *find(const struct metric *metrics, unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(metrics[i].name, name) == 0)
            return &metrics[i];
    return NULL;
}

static bool are_new(const struct metric_registry *registry, const struct metric_group *group)
{
    for (unsigned i = 0; i < group->count; i++) {
        const char *name = group->metrics[i].name;
        for (unsigned g = 0; g < registry->count; g++)
            if (find(registry->group[g].metrics, registry->group[g].count, name) != NULL)
                return false;
    }
    return true;
}

bool metric_registry_add(struct metric_registry *registry, const struct metric_group *group)
{
    pthread_mutex_lock(&registry->lock);
    bool room = registry->count < METRIC_GROUPS;
    assert(are_new(registry, group));
    if (room)
        registry->group[registry->count++] = *group;
    pthread_mutex_unlock(&registry->lock);
    return room;
}

void metric_registry_remove(struct metric_registry *registry, const void *owner)
{
    unsigned kept = 0;
    pthread_mutex_lock(&registry->lock);
    for (unsigned i = 0; i < registry->count; i++)
        if (registry->group[i].owner != owner)
            registry->group[kept++] = registry->group[i];
    registry->count = kept;
    pthread_mutex_unlock(&registry->lock);
}

static void walk_group(const struct metric_group *group, struct metric_reader *reader)
{
    const void *held = group->hold(group->owner);
    if (held == NULL)
        return;
    for (unsigned i = 0; i < group->count; i++) {
        const struct metric *metric = &group->metrics[i];
        if (reader->family != NULL)
            reader->family(reader, metric);
        metric->read(metric, held, reader);
    }
    group->release(group->owner, held);
}

void metric_registry_walk(struct metric_registry *registry, struct metric_reader *reader)
{
    pthread_mutex_lock(&registry->lock);
    for (unsigned i = 0; i < registry->count; i++)
        walk_group(&registry->group[i], reader);
    pthread_mutex_unlock(&registry->lock);
}

static void give(const struct metric *metric, struct metric_reader *reader,
                 const struct metric_sample *sample)
{
    for (int i = 0; i < METRIC_LABELS; i++)
        assert((metric->labels[i] == NULL) == (sample->label[i] == NULL));
    if (reader->sample != NULL)
        reader->sample(reader, metric, sample);
}

void metric_whole(const struct metric *metric, struct metric_reader *reader, uint64_t value)
{
    give(metric, reader, &(struct metric_sample){.is_whole = true, .whole = value});
}

void metric_real(const struct metric *metric, struct metric_reader *reader, double value)
{
    give(metric, reader, &(struct metric_sample){.real = value});
}

void metric_labelled(const struct metric *metric, struct metric_reader *reader,
                     const char *const label[METRIC_LABELS], uint64_t value)
{
    struct metric_sample sample = {.is_whole = true, .whole = value};
    memcpy(sample.label, label, sizeof sample.label);
    give(metric, reader, &sample);
}

const void *metric_hold_owner(void *owner)
{
    return owner;
}

void metric_release_owner(void *owner, const void *held)
{
    assert(owner == held);
    (void)owner, (void)held;
}

struct summing {
    struct metric_reader reader; // first
    uint64_t sum;
};

static void add_sample(struct metric_reader *reader, const struct metric *metric,
                       const struct metric_sample *sample)
{
    (void)metric;
    assert(sample->is_whole);
    ((struct summing *)reader)->sum += sample->whole;
}

uint64_t metric_sum(const struct metric *metrics, unsigned count, const void *held, const char *name)
{
    struct summing summing = {.reader = {.sample = add_sample}};
    const struct metric *metric = find(metrics, count, name);
    assert(metric != NULL);
    metric->read(metric, held, &summing.reader);
    return summing.sum;
}
