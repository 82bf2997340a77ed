// What a run says at its end.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/report_message.h"
#include "app/outputs.h"
#include "app/report_text.h"
#include "app/run_summary.h"
#include "app/version.h"
#include "report/report.h"

enum { TELLING_BYTES = 64 << 20 };

static bool print_text(FILE *stream, const struct strbuf *text, const char *what, struct error *error)
{
    bool good = fwrite(text->text, 1, text->length, stream) == text->length && fflush(stream) == 0;
    if (!good && errno == EPIPE && stream == stdout)
        return true; // a reader that has seen enough (head) is no failure
    return good || error_set(error, ERROR_UNAVAILABLE, "cannot write %s: %s", what, strerror(errno));
}

static bool write_file(const char *path, const struct strbuf *text, struct error *error)
{
    if (strcmp(path, "-") == 0)
        return print_text(stdout, text, "the summary", error);
    FILE *stream = fopen(path, "we");
    if (stream == NULL)
        return error_set(error, ERROR_UNAVAILABLE, "cannot write %s: %s", path, strerror(errno));
    bool good = print_text(stream, text, path, error);
    if (fclose(stream) != 0 && good)
        good = error_set(error, ERROR_UNAVAILABLE, "cannot write %s: %s", path, strerror(errno));
    return good;
}

static bool tell_report(const struct outputs *outputs, const struct report_summary *summary,
                        struct strbuf *text, struct error *error)
{
    const struct output_settings *output = &outputs->settings->output;
    bool text_wanted = output->report == REPORT_TEXT ||
                       (output->report == REPORT_AUTO && !control_is_live(outputs->control));
    if (text_wanted) {
        report_text_add(text, summary);
        if (!print_text(outputs->human, text, "the report", error))
            return false;
    }
    if (output->report != REPORT_JSON && output->summary_json[0] == '\0')
        return true;
    strbuf_clear(text);
    if (!report_json_add(text, summary))
        return error_set(error, ERROR_EXHAUSTED, "no memory to render the report as JSON");
    strbuf_add_char(text, '\n');
    if (output->report == REPORT_JSON && !print_text(outputs->human, text, "the report", error))
        return false;
    return output->summary_json[0] == '\0' || write_file(output->summary_json, text, error);
}

static const struct string_list *inputs_of(const struct settings *settings)
{
    return settings->capture.read_pcap.count != 0 ? &settings->capture.read_pcap
                                                  : &settings->capture.interfaces;
}

static bool finish_report(const struct outputs *outputs, const struct run_end *end, struct strbuf *text,
                          struct error *error)
{
    const struct string_list *inputs = inputs_of(outputs->settings);
    struct report_context context = {
        .inputs = (const char *const *)inputs->items,
        .input_count = inputs->count,
        .filter = outputs->settings->capture.filter,
        .truncated = end->truncated,
        .notes = end->failures,
        .note_count = end->failure_count,
        .node = control_node(outputs->control),
        .version = NETSCOPE_VERSION,
        .source = control_source(outputs->control),
        .live = control_is_live(outputs->control),
        .observe_first = control_observes_first(outputs->control),
    };
    const struct report_summary *summary = report_finish_summary(outputs->report, &context);
    if (summary == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for the report");
    return tell_report(outputs, summary, text, error);
}

bool outputs_tell(struct outputs *outputs, const struct run_end *end, struct error *error)
{
    struct strbuf text;
    strbuf_init(&text, TELLING_BYTES);
    bool good = true;
    bool summary_wanted =
        control_is_live(outputs->control) && outputs->settings->output.report == REPORT_AUTO;
    if (summary_wanted) {
        run_summary_add(&text, outputs->control, end->run_ns);
        good = print_text(outputs->human, &text, "the summary", error);
        strbuf_clear(&text);
    }
    if (good && outputs->report != NULL)
        good = finish_report(outputs, end, &text, error);
    strbuf_done(&text);
    return good;
}
