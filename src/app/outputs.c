#include "app/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/alert_lines.h"
#include "app/output_metrics.h"
#include "app/packet_lines.h"
#include "app/process_metrics.h"
#include "app/servers.h"
#include "app/signals.h"
#include "app/stats_line.h"
#include "app/terminal.h"
#include "base/denial.h"
#include "capture/record/tap.h"
#include "config/config.h"
#include "control/change.h"
#include "control/shares.h"
#include "report/report.h"

static bool is_stdout(const char *path)
{
    return strcmp(path, "-") == 0;
}

// The streams of what people read. Lines never mix with a report that a program reads.
static bool open_terminals(struct outputs *outputs, struct error *error)
{
    static const struct terminal_setup standard = {STDOUT_FILENO, "standard output",
                                                   signals_patience_is_over},
                                       errors = {STDERR_FILENO, "standard error", signals_patience_is_over};
    bool json = outputs->settings->output.report == REPORT_JSON;
    outputs->standard = terminal_create(&standard, error);
    outputs->errors = outputs->standard != NULL ? terminal_create(&errors, error) : NULL;
    outputs->human = settings_use_stdout(outputs->settings) ? outputs->errors : outputs->standard;
    outputs->lines = json ? outputs->errors : outputs->human;
    return outputs->errors != NULL;
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
               (control_is_live(outputs->control) && !settings_listen(outputs->settings) &&
                outputs->lines == outputs->standard && isatty(STDOUT_FILENO));
    }
}

static bool add_packet_lines(struct outputs *outputs, struct error *error)
{
    if (!wants_packet_lines(outputs))
        return true;
    struct packet_lines_setup setup = {
        .terminal = outputs->lines,
        .hex_dump = outputs->settings->output.hex_dump,
        .tunnels = outputs->settings->analysis.tunnels,
        .source = control_source(outputs->control),
    };
    struct tap_consumer *lines = packet_lines_create(&setup);
    if (lines == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for packet lines");
    outputs->packet_lines = tap_create(lines, control_shares(outputs->control)->tap_bytes, error);
    return outputs->packet_lines != NULL && control_add_tap(outputs->control, outputs->packet_lines, error);
}

static enum report_format report_format(const struct outputs *outputs)
{
    enum report_format format = outputs->settings->output.report;
    if (format == REPORT_AUTO)
        format = control_is_live(outputs->control) ? REPORT_NONE : REPORT_TEXT;
    return format;
}

// The summary is written at the end, but a path that cannot be written is said at the start. A FIFO may have no reader yet.
static bool check_summary_path(const char *path, struct error *error)
{
    enum { FLAGS = O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };
    if (path[0] == '\0' || is_stdout(path))
        return true;
    int file = open(path, FLAGS, 0666);
    if (file < 0 && errno != ENXIO)
        return error_set(error, ERROR_UNAVAILABLE, "%s cannot be written: %s%s", path, strerror(errno),
                         denial_writing(errno));
    if (file >= 0)
        close(file);
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

static bool add_stats_line(struct outputs *outputs, struct error *error)
{
    struct sink *line = stats_line_create(outputs->control, outputs->lines);
    if (line == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for the statistics line");
    control_add_sink(outputs->control, line);
    return true;
}

static bool add_webhook(struct outputs *outputs, struct error *error)
{
    const struct output_settings *output = &outputs->settings->output;
    struct export_options options = {
        .events = control_alert_events(outputs->control),
        .live = control_is_live(outputs->control),
        .gives_up = signals_patience_is_over,
    };
    if (output->alerts_webhook[0] != '\0')
        outputs->webhook =
            alert_webhook_create(output->alerts_webhook, output->alerts_webhook_format, &options, error);
    return output->alerts_webhook[0] == '\0' || outputs->webhook != NULL;
}

// A file's alerts stand in its report; without one they are lines, as they are live.
static bool add_alert_lines(struct outputs *outputs, struct error *error)
{
    bool lines = control_is_live(outputs->control) || report_format(outputs) == REPORT_NONE;
    outputs->alerts = alert_lines_create(outputs->control, lines ? outputs->lines : NULL);
    if (outputs->alerts == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for lines of alerts");
    control_add_sink(outputs->control, alert_lines_sink(outputs->alerts));
    return true;
}

bool outputs_open(struct outputs *outputs, const struct settings *settings, struct control *control,
                  struct error *error)
{
    *outputs = (struct outputs){
        .settings = settings,
        .control = control,
    };
    struct control_part part = {&outputs->files, file_outputs_prepare, file_outputs_commit,
                                file_outputs_abandon};
    control_add_part(control, &part);
    output_metrics_add(outputs);
    process_metrics_add(control_metrics(control));
    return open_terminals(outputs, error) && file_outputs_open(&outputs->files, settings, control, error) &&
           add_webhook(outputs, error) && add_packet_lines(outputs, error) && add_report(outputs, error) &&
           add_stats_line(outputs, error) && add_alert_lines(outputs, error);
}

unsigned outputs_finish(struct outputs *outputs, struct error failures[OUTPUT_FAILURES])
{
    unsigned count = file_outputs_finish(&outputs->files, failures);
    if (outputs->webhook != NULL && !outputs->webhook->ops->finish(outputs->webhook, NULL, &failures[count]))
        count++;
    if (outputs->packet_lines != NULL && !tap_finish(outputs->packet_lines, &failures[count]))
        count++;
    return count;
}

void outputs_done(struct outputs *outputs)
{
    output_metrics_remove(outputs);
    file_outputs_done(&outputs->files);
    if (outputs->webhook != NULL)
        outputs->webhook->ops->destroy(outputs->webhook);
    tap_destroy(outputs->packet_lines);
    outputs->packet_lines = NULL;
    terminal_destroy(outputs->standard);
    terminal_destroy(outputs->errors);
}
