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

static void read_counts(const struct metric *metric, const void *held, struct metric_reader *reader,
                        bool bytes)
{
    const struct outputs *outputs = held;
    struct export_counts counts;
    for (unsigned row = 0; row < FILE_OUTPUTS; row++) {
        if (file_output_counts(&outputs->files, row, &counts))
            metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){file_output_name(row)},
                            bytes ? counts.bytes : counts.errors);
    }
    if (outputs->webhook == NULL)
        return;
    export_counts(outputs->webhook, &counts);
    metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){"alerts_webhook"},
                    bytes ? counts.bytes : counts.errors);
}

static void read_bytes(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    read_counts(metric, held, reader, true);
}

static void read_errors(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    read_counts(metric, held, reader, false);
}

// clang-format off
static const struct metric rows[] = {
    {"netscope_output_bytes_total", METRIC_COUNTER, "bytes", "Bytes written to an output.", {"output"}, read_bytes},
    {"netscope_output_errors_total", METRIC_COUNTER, NULL, "Failures of an output.", {"output"}, read_errors},
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
