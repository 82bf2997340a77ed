#include "app/output_metrics.h"

#include "app/outputs.h"
#include "base/metric.h"
#include "export/export.h"

// The files of a run are opened before it and closed after it: nothing is to be held.
static const void *hold(void *owner)
{
    return owner;
}

static void release(void *owner, const void *held)
{
    (void)owner;
    (void)held;
}

static void read_bytes(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct outputs *outputs = held;
    for (unsigned i = 0; i < outputs->file_count; i++) {
        struct export_counts counts;
        export_counts(outputs->files[i], &counts);
        metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){outputs->file_names[i]},
                        counts.bytes);
    }
}

static void read_errors(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct outputs *outputs = held;
    for (unsigned i = 0; i < outputs->file_count; i++) {
        struct export_counts counts;
        export_counts(outputs->files[i], &counts);
        metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){outputs->file_names[i]},
                        counts.errors);
    }
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
