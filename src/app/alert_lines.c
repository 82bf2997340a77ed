#include "app/alert_lines.h"

#include <inttypes.h>
#include <stdlib.h>

#include "api/alert_text.h"
#include "app/terminal.h"
#include "base/strbuf.h"
#include "control/control.h"
#include "control/generation.h"

enum { ALERT_LINES_BYTES = 16384 };

struct alert_lines {
    struct sink sink; // first
    struct control *control;
    struct terminal *terminal; // NULL = none
    struct strbuf text;
    uint64_t raised[ALERT_KINDS];
};

static bool explains(struct control *control)
{
    const struct generation *generation = control_generation(control);
    bool explain = generation->settings.analysis.anomalies.explain;
    generation_release(generation);
    return explain;
}

static void tell(struct alert_lines *lines, const struct alert_event *event)
{
    strbuf_clear(&lines->text);
    alert_text_add_line(&lines->text, event, event->alert.ts_ns);
    strbuf_add_char(&lines->text, '\n');
    if (explains(lines->control))
        alert_text_add_reasons(&lines->text, &event->alert, "  ");
    if (control_is_live(lines->control))
        terminal_offer(lines->terminal, lines->text.text, lines->text.length);
    else
        terminal_add(lines->terminal, lines->text.text, lines->text.length);
}

static void take_alert(struct sink *sink, const struct alert_event *event)
{
    struct alert_lines *lines = (struct alert_lines *)sink;
    if (event->alert.lifecycle == ALERT_STARTED)
        lines->raised[event->alert.kind]++;
    if (lines->terminal != NULL)
        tell(lines, event);
}

static void destroy(struct sink *sink)
{
    struct alert_lines *lines = (struct alert_lines *)sink;
    strbuf_done(&lines->text);
    free(lines);
}

static const struct sink_ops alert_lines_ops = {
    .name = "alert lines",
    .alert = take_alert,
    .destroy = destroy,
};

struct alert_lines *alert_lines_create(struct control *control, struct terminal *terminal)
{
    struct alert_lines *lines = calloc(1, sizeof *lines);
    if (lines == NULL)
        return NULL;
    lines->sink.ops = &alert_lines_ops;
    lines->control = control;
    lines->terminal = terminal;
    strbuf_init(&lines->text, ALERT_LINES_BYTES);
    return lines;
}

struct sink *alert_lines_sink(struct alert_lines *lines)
{
    return &lines->sink;
}

uint64_t alert_lines_raised(const struct alert_lines *lines)
{
    uint64_t raised = 0;
    for (unsigned kind = 0; kind < ALERT_KINDS; kind++)
        raised += lines->raised[kind];
    return raised;
}

void alert_lines_add_summary(struct strbuf *into, const struct alert_lines *lines)
{
    const char *separator = " (";
    uint64_t raised = alert_lines_raised(lines);
    if (raised == 0)
        return;
    strbuf_addf(into, "alerts: %" PRIu64 " raised", raised);
    for (unsigned kind = 0; kind < ALERT_KINDS; kind++) {
        if (lines->raised[kind] == 0)
            continue;
        strbuf_addf(into, "%s%s %" PRIu64, separator, alert_kind_name((enum alert_kind)kind),
                    lines->raised[kind]);
        separator = ", ";
    }
    strbuf_add(into, ")\n");
}
