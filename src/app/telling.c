// What a run says at its end.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/report_message.h"
#include "app/alert_lines.h"
#include "app/outputs.h"
#include "app/report_text.h"
#include "app/run_summary.h"
#include "app/signals.h"
#include "app/terminal.h"
#include "base/log.h"
#include "base/output_file.h"
#include "base/version.h"
#include "control/generation.h"
#include "report/report.h"

enum { TELLING_BYTES = 64 << 20 };

static bool print_text(struct terminal *terminal, const struct strbuf *text, const char *what,
                       struct error *error)
{
    bool taken = terminal_add(terminal, text->text, text->length);
    if (!terminal_flush(terminal, error))
        return error_prefix(error, "%s", what);
    return taken || terminal_failure(terminal) == EPIPE ||
           error_set(error, ERROR_DATA_LOSS, "%s is left out: %s was not read in time", what,
                     terminal_name(terminal));
}

// Whoever reads the path finds what was there or all of it.
static bool write_file(const char *path, const struct strbuf *text, struct error *error)
{
    static const struct output_options options = {.component = "output",
                                                  .unit = "parts",
                                                  .mode = 0666,
                                                  .append = true,
                                                  .aside = true,
                                                  .gives_up = signals_patience_is_over,
                                                  .head = "",
                                                  .tail = ""};
    struct output_counts counts = {0};
    struct output_file *file = output_file_open(path, &options, &counts, error);
    if (file == NULL)
        return false;
    output_file_set_aside(file);
    for (size_t at = 0; at < text->length; at += OUTPUT_BUFFER_BYTES) {
        size_t left = text->length - at;
        output_file_add(file, text->text + at, left < OUTPUT_BUFFER_BYTES ? left : OUTPUT_BUFFER_BYTES, 0);
    }
    return output_file_close(file, error);
}

static bool write_summary(const struct outputs *outputs, const struct strbuf *text, struct error *error)
{
    const char *path = outputs->settings->output.summary_json;
    return strcmp(path, "-") == 0 ? print_text(outputs->standard, text, "the summary", error)
                                  : write_file(path, text, error);
}

static void tell_dropped(const struct terminal *terminal)
{
    uint64_t dropped = terminal_dropped(terminal);
    if (dropped > 0)
        log_warning("output",
                    "%s was not read fast enough: %" PRIu64
                    " texts (statistics, answers to SIGUSR1) are left out",
                    terminal_name(terminal), dropped);
}

// What still waits when the run must end is said, and no failure: it was told to people.
static bool finish_terminal(struct terminal *terminal, struct error *error)
{
    bool told = terminal_is_told(terminal);
    tell_dropped(terminal);
    if (terminal_flush(terminal, error))
        return true;
    if (error->kind != ERROR_DEADLINE_EXCEEDED)
        return false;
    if (told)
        return true;
    log_warning("output", "%s", error->text);
    return true;
}

// The first failure is told of by the caller, further ones at once: none keeps another part from being written.
static void keep_first(bool done, const struct error *failure, bool *good, struct error *error)
{
    if (!done && *good)
        *error = *failure;
    else if (!done)
        log_error("output", "%s", failure->text);
    *good &= done;
}

static bool tell_text(const struct outputs *outputs, const struct report_summary *summary,
                      struct strbuf *text, struct error *error)
{
    const struct output_settings *output = &outputs->settings->output;
    if (output->report != REPORT_TEXT && (output->report != REPORT_AUTO || control_is_live(outputs->control)))
        return true;
    strbuf_clear(text);
    report_text_add(text, summary);
    return print_text(outputs->human, text, "the report", error);
}

static bool tell_json(const struct outputs *outputs, const struct report_summary *summary,
                      struct strbuf *text, struct error *error)
{
    const struct output_settings *output = &outputs->settings->output;
    struct error failure;
    bool good = true;
    if (output->report != REPORT_JSON && output->summary_json[0] == '\0')
        return true;
    strbuf_clear(text);
    if (!report_json_add(text, summary))
        return error_set(error, ERROR_EXHAUSTED, "no memory to render the report as JSON");
    strbuf_add_char(text, '\n');
    if (output->summary_json[0] != '\0')
        keep_first(write_summary(outputs, text, &failure), &failure, &good, error);
    if (output->report == REPORT_JSON)
        keep_first(print_text(outputs->human, text, "the report", &failure), &failure, &good, error);
    return good;
}

static bool tell_report(const struct outputs *outputs, const struct report_summary *summary,
                        struct strbuf *text, struct error *error)
{
    struct error failure;
    bool good = true;
    keep_first(tell_text(outputs, summary, text, &failure), &failure, &good, error);
    keep_first(tell_json(outputs, summary, text, &failure), &failure, &good, error);
    return good;
}

static const struct string_list *inputs_of(const struct capture_settings *capture)
{
    return capture->read_pcap.count != 0 ? &capture->read_pcap : &capture->interfaces;
}

// `last`: what was in force at the end.
static bool finish_report(const struct outputs *outputs, const struct settings *last,
                          const struct run_end *end, struct strbuf *text, struct error *error)
{
    const struct capture_settings *capture = &last->capture;
    const struct anomaly_settings *anomalies = &last->analysis.anomalies;
    const struct string_list *inputs = inputs_of(capture);
    const char *notes[RUN_FAILURES];
    for (unsigned i = 0; i < end->failure_count; i++)
        notes[i] = end->failures[i].text;
    struct report_context context = {
        .inputs = (const char *const *)inputs->items,
        .input_count = inputs->count,
        .filter = capture->filter,
        .truncated = end->truncated,
        .notes = notes,
        .note_count = end->failure_count,
        .node = control_node(outputs->control),
        .version = NETSCOPE_VERSION,
        .source = control_source(outputs->control),
        .live = control_is_live(outputs->control),
        .observe_first = control_observes_first(outputs->control),
        .explain_alerts = anomalies->explain,
    };
    const struct report_summary *summary = report_finish_summary(outputs->report, &context);
    if (summary == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for the report");
    return tell_report(outputs, summary, text, error);
}

static bool tell_summary(const struct outputs *outputs, const struct run_end *end, struct strbuf *text,
                         struct error *error)
{
    if (!control_is_live(outputs->control) || outputs->settings->output.report != REPORT_AUTO)
        return true;
    run_summary_add(text, outputs->control, end->run_ns);
    alert_lines_add_summary(text, outputs->alerts);
    return print_text(outputs->human, text, "the summary", error);
}

bool outputs_tell(struct outputs *outputs, const struct run_end *end, struct error *error)
{
    struct strbuf text;
    struct error failure;
    bool good = true;
    strbuf_init(&text, TELLING_BYTES);
    keep_first(tell_summary(outputs, end, &text, &failure), &failure, &good, error);
    const struct generation *last = control_generation(outputs->control);
    if (outputs->report != NULL)
        keep_first(finish_report(outputs, &last->settings, end, &text, &failure), &failure, &good, error);
    generation_release(last);
    strbuf_done(&text);
    keep_first(finish_terminal(outputs->standard, &failure), &failure, &good, error);
    keep_first(finish_terminal(outputs->errors, &failure), &failure, &good, error);
    return good;
}
