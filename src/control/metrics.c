#include "control/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "capture/clock.h"
#include "control/control_inside.h"

// What a family says of each row of the totals' interfaces.
typedef uint64_t row_value(const struct interface_totals *row, int what);

static const struct source_interface *interface_of(const struct run_figures *figures, unsigned row)
{
    return source_interface(figures->source, figures->totals->interface[row].number);
}

static const char *word_of(const struct run_figures *figures, unsigned row)
{
    return interface_of(figures, row)->configured;
}

// All interfaces behind one word of the settings are one series. Interfaces of several files may have one name.
static bool is_one_series(const struct run_figures *figures, unsigned row, unsigned other)
{
    if (figures->live)
        return interface_of(figures, row)->word == interface_of(figures, other)->word;
    return strcmp(word_of(figures, row), word_of(figures, other)) == 0;
}

static bool is_first_of_word(const struct run_figures *figures, unsigned row)
{
    for (unsigned i = 0; i < row; i++)
        if (is_one_series(figures, i, row))
            return false;
    return true;
}

static uint64_t sum_of_word(const struct run_figures *figures, unsigned first, row_value *value, int what)
{
    uint64_t sum = 0;
    for (unsigned i = first; i < figures->totals->interfaces; i++)
        if (is_one_series(figures, i, first))
            sum += value(&figures->totals->interface[i], what);
    return sum;
}

static void read_words(const struct metric *metric, const struct run_figures *figures,
                       struct metric_reader *reader, row_value *value)
{
    for (unsigned i = 0; i < figures->totals->interfaces; i++) {
        if (is_first_of_word(figures, i))
            metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){word_of(figures, i)},
                            sum_of_word(figures, i, value, 0));
    }
}

static uint64_t received_of(const struct interface_totals *row, int what)
{
    (void)what;
    return row->received;
}

static uint64_t bytes_of(const struct interface_totals *row, int what)
{
    (void)what;
    return row->received_bytes;
}

static uint64_t lost_of(const struct interface_totals *row, int what)
{
    return row->lost[what];
}

static void read_packets(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    read_words(metric, held, reader, received_of);
}

static void read_bytes(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    read_words(metric, held, reader, bytes_of);
}

static void read_lost(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct run_figures *figures = held;
    for (unsigned i = 0; i < figures->totals->interfaces; i++) {
        for (enum lost_cause cause = 0; is_first_of_word(figures, i) && cause < LOST_CAUSES; cause++)
            metric_labelled(metric, reader,
                            (const char *const[METRIC_LABELS]){word_of(figures, i), lost_stage_name(cause),
                                                               lost_reason_name(cause)},
                            sum_of_word(figures, i, lost_of, (int)cause));
    }
}

static bool is_wanted(const struct run_figures *figures, const char *word)
{
    if (figures->wanted == NULL)
        return true;
    for (unsigned i = 0; i < figures->wanted->count; i++)
        if (strcmp(figures->wanted->items[i], word) == 0)
            return true;
    return figures->wanted->count == 0 && strcmp(word, "auto") == 0;
}

static bool is_known(const struct run_figures *figures, const char *word)
{
    for (unsigned i = 0; i < source_interfaces(figures->source); i++)
        if (strcmp(source_interface(figures->source, i)->configured, word) == 0)
            return true;
    return false;
}

static void tell_up(const struct metric *metric, struct metric_reader *reader, const char *word, bool up)
{
    metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){word}, up);
}

// Every word of the settings, also of interfaces that there have never been; and what a start by the API captures besides.
static void read_interface_up(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    enum { UNKNOWN, DOWN, UP };
    const struct run_figures *figures = held;
    uint8_t words[SOURCE_INTERFACES_MAX] = {UNKNOWN};
    unsigned interfaces = figures->live ? source_interfaces(figures->source) : 0;
    for (unsigned i = 0; i < interfaces && i < SOURCE_INTERFACES_MAX; i++) {
        const struct source_interface *interface = source_interface(figures->source, i);
        uint8_t state = atomic_load(&interface->up) ? UP : DOWN;
        if (words[interface->word] < state)
            words[interface->word] = state;
    }
    for (unsigned word = 0; word < interfaces && word < SOURCE_INTERFACES_MAX; word++) {
        const char *configured = source_interface(figures->source, word)->configured;
        if (words[word] == UP || (words[word] == DOWN && is_wanted(figures, configured)))
            tell_up(metric, reader, configured, words[word] == UP);
    }
    unsigned wanted = figures->live && figures->wanted != NULL ? figures->wanted->count : 0;
    for (unsigned i = 0; i < wanted; i++)
        if (!is_known(figures, figures->wanted->items[i]))
            tell_up(metric, reader, figures->wanted->items[i], false);
}

static void read_decode_errors(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct run_figures *figures = held;
    for (enum decode_layer layer = DECODE_LAYER_NONE + 1; layer < DECODE_LAYERS; layer++)
        for (enum decode_reason reason = DECODE_OK + 1; reason < DECODE_REASONS; reason++)
            metric_labelled(
                metric, reader,
                (const char *const[METRIC_LABELS]){decode_layer_name(layer), decode_reason_name(reason)},
                figures->totals->decode_errors[layer][reason]);
}

static void read_ended(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct run_figures *figures = held;
    for (enum end_reason reason = 0; reason < END_REASONS; reason++)
        metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){end_reason_name(reason)},
                        figures->totals->flows_ended[reason]);
}

static void read_interface_drops(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct run_figures *figures = held;
    uint64_t dropped = 0;
    for (unsigned i = 0; i < figures->totals->interfaces; i++)
        dropped += figures->totals->interface[i].interface_dropped;
    metric_whole(metric, reader, dropped);
}

// A family without labels whose value is one member.
#define READ_WHOLE(name, member)                                                                             \
    static void name(const struct metric *metric, const void *held, struct metric_reader *reader)            \
    {                                                                                                        \
        metric_whole(metric, reader, ((const struct run_figures *)held)->member);                            \
    }

READ_WHOLE(read_analysed, totals->analysed)
READ_WHOLE(read_duplicate, totals->duplicate)
READ_WHOLE(read_active, totals->flows_active)
READ_WHOLE(read_created, totals->flows_created)
READ_WHOLE(read_streams_given_up, totals->streams_given_up)
READ_WHOLE(read_answers_given_up, totals->answers_given_up)
READ_WHOLE(read_datagrams_given_up, totals->datagrams_given_up)
READ_WHOLE(read_table_bytes, totals->flow_table_bytes)
READ_WHOLE(read_dispatch_drops, totals->lost[LOST_DISPATCH_QUEUE])
READ_WHOLE(read_kernel_drops, totals->lost[LOST_KERNEL_RING])
READ_WHOLE(read_capacity, flow_capacity)
READ_WHOLE(read_pending, pending)
READ_WHOLE(read_overridden, overridden)

static void read_reloaded(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    metric_whole(metric, reader, !((const struct run_figures *)held)->reload_failed);
}

static void read_reload_time(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    metric_real(metric, reader, ((const struct run_figures *)held)->reload_time_s);
}

static void read_uptime(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    metric_real(metric, reader, ((const struct run_figures *)held)->uptime_s);
}

static void read_lag(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct run_figures *figures = held;
    if (figures->live)
        metric_real(metric, reader, figures->lag_s);
}

static void read_depth(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){"dispatch"},
                    ((const struct run_figures *)held)->queue_depth);
}

static void read_queue_capacity(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){"dispatch"},
                    ((const struct run_figures *)held)->queue_capacity);
}

static void read_durations(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct tick_durations *durations = ((const struct run_figures *)held)->durations;
    struct metric_sample sample = {.buckets = TICK_BUCKETS};
    uint64_t below = 0;
    if (durations == NULL || reader->sample == NULL)
        return;
    for (unsigned i = 0; i < TICK_BUCKETS; i++) {
        below += durations->count[i];
        sample.bound[i] = tick_bounds_s[i];
        sample.count[i] = below;
    }
    sample.sum = (double)durations->sum_ns / 1e9;
    reader->sample(reader, metric, &sample);
}

// clang-format off
const struct metric run_metrics[] = {
    {"netscope_uptime_seconds", METRIC_GAUGE, "seconds", "Time since the start of the run.", {0}, read_uptime},
    {"netscope_interface_up", METRIC_GAUGE, NULL,
     "Whether an interface behind this word of the settings is captured.", {"interface"}, read_interface_up},
    {"netscope_capture_packets_total", METRIC_COUNTER, NULL, "Packets received.", {"interface"}, read_packets},
    {"netscope_capture_bytes_total", METRIC_COUNTER, "bytes", "Bytes received.", {"interface"}, read_bytes},
    {"netscope_packets_analysed_total", METRIC_COUNTER, NULL, "Packets analysed.", {0}, read_analysed},
    {"netscope_packets_duplicate_total", METRIC_COUNTER, NULL,
     "Packets seen on another interface before, and not counted again.", {0}, read_duplicate},
    {"netscope_packets_lost_total", METRIC_COUNTER, NULL,
     "Packets lost, by where and why: received = analysed + duplicate + lost.", {"interface", "stage", "reason"}, read_lost},
    {"netscope_decode_errors_total", METRIC_COUNTER, NULL,
     "Packets that could not be decoded to their end, by layer and reason.", {"layer", "reason"}, read_decode_errors},
    {"netscope_active_flows", METRIC_GAUGE, NULL, "Flows in the table.", {0}, read_active},
    {"netscope_flows_created_total", METRIC_COUNTER, NULL, "Flows that began.", {0}, read_created},
    {"netscope_flows_ended_total", METRIC_COUNTER, NULL, "Records of flows that left, by reason.", {"reason"}, read_ended},
    {"netscope_streams_given_up_total", METRIC_COUNTER, NULL,
     "ClientHellos and DNS messages in several segments that made room for others before they were whole.", {0},
     read_streams_given_up},
    {"netscope_dns_answers_given_up_total", METRIC_COUNTER, NULL,
     "DNS answers that came in segments with too many others to be counted by name.", {0}, read_answers_given_up},
    {"netscope_datagrams_given_up_total", METRIC_COUNTER, NULL,
     "IP datagrams in fragments that made room for others before they were whole, or contradict themselves.", {0},
     read_datagrams_given_up},
    {"netscope_flow_capacity", METRIC_GAUGE, NULL, "Most flows that the table holds; 0 = no cap.", {0}, read_capacity},
    {"netscope_flow_table_bytes", METRIC_GAUGE, "bytes", "Memory of the flow table.", {0}, read_table_bytes},
    {"netscope_capture_lag_seconds", METRIC_GAUGE, "seconds",
     "How long ago the tick ended that these figures are of.", {0}, read_lag},
    {"netscope_queue_depth", METRIC_GAUGE, NULL, "What waits in a queue: batches of packets on their way to the shards.", {"queue"},
     read_depth},
    {"netscope_queue_capacity", METRIC_GAUGE, NULL, "Most that a queue holds.", {"queue"}, read_queue_capacity},
    {"netscope_tick_duration_seconds", METRIC_HISTOGRAM, "seconds",
     "How long it took to merge a tick of all shards and to hand on what came of it.", {0}, read_durations},
    {"netscope_dispatch_drops_total", METRIC_COUNTER, NULL,
     "Packets dropped because analysis was behind: repeats stage dispatch of packets_lost_total.", {0}, read_dispatch_drops},
    {"netscope_kernel_drops_total", METRIC_COUNTER, NULL,
     "Packets that the kernel's buffer had no room for: repeats stage kernel of packets_lost_total.", {0}, read_kernel_drops},
    {"netscope_kernel_if_drops_total", METRIC_COUNTER, NULL,
     "Packets dropped by network cards: outside packets_lost_total, for they were never received.", {0}, read_interface_drops},
    {"netscope_config_last_reload_successful", METRIC_GAUGE, NULL,
     "Whether the latest reading of the settings succeeded.", {0}, read_reloaded},
    {"netscope_config_last_reload_success_timestamp_seconds", METRIC_GAUGE, "seconds",
     "When settings were read successfully last.", {0}, read_reload_time},
    {"netscope_config_restart_pending", METRIC_GAUGE, NULL,
     "Settings whose change waits for a restart.", {0}, read_pending},
    {"netscope_config_overrides", METRIC_GAUGE, NULL,
     "Settings that were changed by the API, until a restart or a change of the file.", {0}, read_overridden},
};
// clang-format on
const unsigned run_metric_count = sizeof run_metrics / sizeof run_metrics[0];

struct held_figures {
    struct run_figures figures; // first
    const struct snapshot *snapshot;
    const struct generation *generation;
};

struct run_figures run_figures_of(struct control *control, const struct totals *totals, int64_t now_ns)
{
    const struct generation *generation = generation_hold(&control->generations);
    struct pipeline_queue queue = pipeline_queue_of(control->pipeline);
    struct run_figures figures = {
        .queue_depth = queue.depth,
        .queue_capacity = queue.capacity,
        .totals = totals,
        .source = control->source,
        .flow_capacity = control_policy(control, &generation->settings).max_flows,
        .uptime_s = (double)(clock_now_ns() - control->start_ns) / 1e9,
        .lag_s = (double)(clock_wall_ns() - now_ns) / 1e9,
        .live = control->live,
        .reload_failed = atomic_load(&control->reload_failed),
        .reload_time_s = (double)atomic_load(&control->reload_wall_ns) / 1e9,
        .pending = generation_pending(generation),
        .overridden = generation_overridden(generation),
    };
    generation_release(generation);
    return figures;
}

const void *run_figures_hold(void *owner)
{
    struct control *control = owner;
    const struct snapshot *snapshot = control_snapshot(control);
    struct held_figures *held = snapshot != NULL ? malloc(sizeof *held) : NULL;
    if (held == NULL) {
        snapshot_release(snapshot);
        return NULL;
    }
    held->figures = run_figures_of(control, &snapshot->totals, snapshot->now_ns);
    held->figures.durations = &snapshot->durations;
    held->snapshot = snapshot;
    held->generation = generation_hold(&control->generations);
    held->figures.wanted = &held->generation->settings.capture.interfaces;
    return held;
}

void run_figures_release(void *owner, const void *held)
{
    struct held_figures *figures = (struct held_figures *)(uintptr_t)held;
    (void)owner;
    generation_release(figures->generation);
    snapshot_release(figures->snapshot);
    free(figures);
}

uint64_t run_metric_sum(const struct run_figures *figures, const char *name)
{
    return metric_sum(run_metrics, run_metric_count, figures, name);
}
