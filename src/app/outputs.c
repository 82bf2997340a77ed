#include "app/outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/packet_lines.h"
#include "app/reopener.h"
#include "app/stats_line.h"
#include "base/log.h"
#include "capture/record/pcap_writer.h"
#include "export/export.h"
#include "report/report.h"

static const uint64_t bytes_per_mb = 1024 * 1024; // of a setting in MB

typedef struct sink *create_function(const char *path, const struct export_options *options,
                                     struct error *error);

static bool is_stdout(const char *path)
{
    return strcmp(path, "-") == 0;
}

static bool uses_stdout(const struct output_settings *output)
{
    const char *const paths[] = {output->write_pcap,        output->export_json,
                                 output->export_csv,        output->expired_flows_jsonl,
                                 output->expired_flows_csv, output->summary_json};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (is_stdout(paths[i]))
            return true;
    return false;
}

// The streams of what people read. Lines never mix with a report that a program reads.
static void choose_streams(struct outputs *outputs)
{
    const struct output_settings *output = &outputs->settings->output;
    outputs->human = uses_stdout(output) ? stderr : stdout;
    outputs->lines = output->report == REPORT_JSON ? stderr : outputs->human;
}

static bool add_file(struct outputs *outputs, const char *path, create_function *create, struct error *error)
{
    if (path[0] == '\0')
        return true;
    const struct output_settings *output = &outputs->settings->output;
    struct export_options options = {
        .events = control_flow_events(outputs->control),
        .live = control_is_live(outputs->control),
        .rotate_bytes = output->rotate_mb * bytes_per_mb,
        .max_files = output->max_files,
        .compress = output->compress,
        .min_free_bytes = output->min_free_mb * bytes_per_mb,
    };
    struct sink *sink = create(path, &options, error);
    if (sink == NULL)
        return false;
    control_add_sink(outputs->control, sink);
    outputs->files[outputs->file_count++] = sink;
    return true;
}

static bool add_files(struct outputs *outputs, struct error *error)
{
    const struct output_settings *output = &outputs->settings->output;
    return add_file(outputs, output->export_json, export_json_create, error) &&
           add_file(outputs, output->export_csv, export_csv_create, error) &&
           add_file(outputs, output->expired_flows_jsonl, stream_jsonl_create, error) &&
           add_file(outputs, output->expired_flows_csv, stream_csv_create, error);
}

static bool add_tap(struct outputs *outputs, struct tap_consumer *take_consumer, struct error *error)
{
    struct tap *tap = tap_create(take_consumer, TAP_RING_BYTES, error);
    if (tap == NULL)
        return false;
    outputs->taps[outputs->tap_count++] = tap;
    return control_add_tap(outputs->control, tap, error);
}

static bool add_recorder(struct outputs *outputs, struct error *error)
{
    const struct output_settings *output = &outputs->settings->output;
    if (output->write_pcap[0] == '\0')
        return true;
    struct pcap_writer_options options = {
        .path = output->write_pcap,
        .rotate_mb = output->write_pcap_rotate_mb,
        .max_files = output->write_pcap_max_files,
        .min_free_mb = output->min_free_mb,
        .source = control_source(outputs->control),
    };
    outputs->recorder = pcap_writer_create(&options, error);
    return outputs->recorder != NULL && add_tap(outputs, outputs->recorder, error);
}

static bool wants_packet_lines(const struct outputs *outputs)
{
    switch (outputs->settings->output.packets) {
    case PACKET_LINES_ALWAYS:
        return true;
    case PACKET_LINES_NEVER:
        return false;
    default:
        return outputs->settings->output.hex_dump ||
               (control_is_live(outputs->control) && outputs->lines == stdout && isatty(STDOUT_FILENO));
    }
}

static bool add_packet_lines(struct outputs *outputs, struct error *error)
{
    if (!wants_packet_lines(outputs))
        return true;
    struct packet_lines_setup setup = {
        .stream = outputs->lines,
        .hex_dump = outputs->settings->output.hex_dump,
        .tunnels = outputs->settings->analysis.tunnels,
        .source = control_source(outputs->control),
    };
    struct tap_consumer *lines = packet_lines_create(&setup);
    if (lines == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for packet lines");
    return add_tap(outputs, lines, error);
}

static enum report_format report_format(const struct outputs *outputs)
{
    enum report_format format = outputs->settings->output.report;
    if (format == REPORT_AUTO)
        format = control_is_live(outputs->control) ? REPORT_NONE : REPORT_TEXT;
    return format;
}

// The summary is written at the end, but a path that cannot be written is said at the start.
static bool check_summary_path(const char *path, struct error *error)
{
    if (path[0] == '\0' || is_stdout(path))
        return true;
    FILE *stream = fopen(path, "ae");
    if (stream == NULL)
        return error_set(error, ERROR_UNAVAILABLE, "%s cannot be written: %s", path, strerror(errno));
    fclose(stream);
    return true;
}

static bool add_report(struct outputs *outputs, struct error *error)
{
    const struct output_settings *output = &outputs->settings->output;
    if (!check_summary_path(output->summary_json, error))
        return false;
    if (report_format(outputs) == REPORT_NONE && output->summary_json[0] == '\0')
        return true;
    outputs->report = report_create(output->report_top);
    if (outputs->report == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for the report: lower output.report_top");
    control_add_sink(outputs->control, report_sink(outputs->report));
    return true;
}

static bool add_rest(struct outputs *outputs, struct error *error)
{
    if (outputs->settings->stats.enabled) {
        struct sink *line = stats_line_create(&outputs->settings->stats, outputs->control, outputs->lines);
        if (line == NULL)
            return error_set(error, ERROR_EXHAUSTED, "no memory for the statistics line");
        control_add_sink(outputs->control, line);
    }
    struct sink *reopener = reopener_create(outputs->files, outputs->file_count, outputs->recorder);
    if (reopener == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for the outputs");
    control_add_sink(outputs->control, reopener);
    return true;
}

bool outputs_open(struct outputs *outputs, const struct settings *settings, struct control *control,
                  struct error *error)
{
    *outputs = (struct outputs){
        .settings = settings,
        .control = control,
    };
    choose_streams(outputs);
    return add_files(outputs, error) && add_recorder(outputs, error) && add_packet_lines(outputs, error) &&
           add_report(outputs, error) && add_rest(outputs, error);
}

bool outputs_finish(struct outputs *outputs, struct error *error)
{
    bool good = true;
    for (unsigned i = 0; i < outputs->tap_count; i++) {
        struct error failure;
        if (tap_finish(outputs->taps[i], &failure))
            continue;
        if (good)
            *error = failure;
        else
            log_error("output", "%s", failure.text);
        good = false;
    }
    return good;
}

void outputs_done(struct outputs *outputs)
{
    for (unsigned i = 0; i < outputs->tap_count; i++)
        tap_destroy(outputs->taps[i]);
    outputs->tap_count = 0;
}
