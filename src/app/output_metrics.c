#include "app/output_metrics.h"

#include "app/outputs.h"
#include "base/metric.h"

// A file that is counted does not go meanwhile.
static const void *hold(void *owner)
{
    struct outputs *outputs = owner;
    pthread_mutex_lock(&outputs->files.lock);
    return outputs;
}

static void release(void *owner, const void *held)
{
    struct outputs *outputs = owner;
    (void)held;
    pthread_mutex_unlock(&outputs->files.lock);
}

// What a family says of an output.
typedef uint64_t count_value(const struct export_counts *counts);

static void read_counts(const struct metric *metric, const struct outputs *outputs,
                        struct metric_reader *reader, count_value *value)
{
    struct export_counts counts;
    for (unsigned row = 0; row < FILE_OUTPUTS; row++) {
        if (file_output_counts(&outputs->files, row, &counts))
            metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){file_output_name(row)},
                            value(&counts));
    }
    if (outputs->webhook == NULL)
        return;
    export_counts(outputs->webhook, &counts);
    metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){"alerts_webhook"}, value(&counts));
}

#define READ_COUNT(name, expression)                                                                         \
    static uint64_t name##_of(const struct export_counts *counts)                                            \
    {                                                                                                        \
        return (expression);                                                                                 \
    }                                                                                                        \
    static void read_##name(const struct metric *metric, const void *held, struct metric_reader *reader)     \
    {                                                                                                        \
        read_counts(metric, held, reader, name##_of);                                                        \
    }

READ_COUNT(bytes, counts->bytes)
READ_COUNT(errors, counts->errors)
READ_COUNT(failing, counts->failing)
READ_COUNT(lost, counts->dropped + counts->lost)

// clang-format off
static const struct metric rows[] = {
    {"netscope_output_bytes_total", METRIC_COUNTER, "bytes", "Bytes written to an output.", {"output"}, read_bytes},
    {"netscope_output_errors_total", METRIC_COUNTER, NULL, "Failures of an output.", {"output"}, read_errors},
    {"netscope_output_failing", METRIC_GAUGE, NULL,
     "Whether an output is not written now: its disk is full, its server away, its reader gone.", {"output"}, read_failing},
    {"netscope_output_lost_total", METRIC_COUNTER, NULL,
     "Records and packets that an output was to have and has not: it failed, or came too slowly to them.", {"output"}, read_lost},
};
// clang-format on

void output_metrics_add(struct outputs *outputs)
{
    struct metric_group group = {rows, sizeof rows / sizeof rows[0], outputs, hold, release};
    metric_registry_add(control_metrics(outputs->control), &group);
}

void output_metrics_remove(struct outputs *outputs)
{
    metric_registry_remove(control_metrics(outputs->control), outputs);
}
