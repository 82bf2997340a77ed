// Counters and gauges as rows of tables: a family has a name, a type, a unit, a sentence of help, names of labels, and
// a function that reads its samples off something frozen. Whoever has figures (control, outputs, later the door)
// adds a table of its own to the registry; whoever shows them (/metrics, GetStats, the statistics line) walks it.
// Names are those of the reference, section 7. No address or host name is ever a label.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_INFO };

enum { METRIC_LABELS = 3, METRIC_GROUPS = 16, METRIC_BUCKETS = 16 };

struct metric;
struct metric_reader;

// One value. Whole numbers stay exact past 2^53.
struct metric_sample {
    const char *label[METRIC_LABELS]; // values, in the order of the family's names; borrowed for the call
    bool is_whole;
    uint64_t whole;
    double real;
    // Of a histogram in place of a value: counts of the buckets, each with all below it, the last without bound.
    unsigned buckets;
    double bound[METRIC_BUCKETS];
    uint64_t count[METRIC_BUCKETS];
    double sum;
};

struct metric {
    const char *name; // "netscope_packets_lost_total"
    enum metric_type type;
    const char *unit;                  // "seconds", "bytes"; NULL = none
    const char *help;                  // a sentence
    const char *labels[METRIC_LABELS]; // names; NULL behind the last
    // Gives the reader every sample, in a fixed order. `held` is what the group holds for this walk.
    void (*read)(const struct metric *metric, const void *held, struct metric_reader *reader);
};

// A table of families, and where they are read: `hold` takes something that does not change during the walk, NULL
// when there is nothing yet.
struct metric_group {
    const struct metric *metrics;
    unsigned count;
    void *owner;
    const void *(*hold)(void *owner);
    void (*release)(void *owner, const void *held);
};

// Who walks. Either function may be NULL.
struct metric_reader {
    void (*family)(struct metric_reader *reader, const struct metric *metric);
    void (*sample)(struct metric_reader *reader, const struct metric *metric,
                   const struct metric_sample *sample);
};

struct metric_registry {
    pthread_mutex_t lock; // a walk holds it: bounded, and no thread of the run takes it
    struct metric_group group[METRIC_GROUPS];
    unsigned count;
};

void metric_registry_init(struct metric_registry *registry);
void metric_registry_done(struct metric_registry *registry);

// Any thread. Names of families are asserted to be nobody else's. False when there is no place.
bool metric_registry_add(struct metric_registry *registry, const struct metric_group *group);
// After it no walk reads what the owner has.
void metric_registry_remove(struct metric_registry *registry, const void *owner);
// Any thread: every family with its samples, in the order in which the groups came.
void metric_registry_walk(struct metric_registry *registry, struct metric_reader *reader);

// For the rows' functions: one sample without labels, or with those given.
void metric_whole(const struct metric *metric, struct metric_reader *reader, uint64_t value);
void metric_real(const struct metric *metric, struct metric_reader *reader, double value);
void metric_labelled(const struct metric *metric, struct metric_reader *reader,
                     const char *const label[METRIC_LABELS], uint64_t value);

// For groups whose figures are atomics of the owner, who holds still while he is there.
const void *metric_hold_owner(void *owner);
void metric_release_owner(void *owner, const void *held);

// The sum over the whole samples of one family of a table.
uint64_t metric_sum(const struct metric *metrics, unsigned count, const void *held, const char *name);
