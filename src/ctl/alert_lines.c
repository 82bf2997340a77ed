#include "ctl/alert_lines.h"

#include <inttypes.h>

#include "base/time.h"
#include "ctl/complaint.h"
#include "ctl/flow_text.h"
#include "ctl/output.h"
#include "netscope/v1/alert.pb-c.h"

typedef Netscope__V1__Alert Alert;

static void add_severity(struct output *output, const Alert *alert)
{
    static const struct {
        const char *name;
        enum colour colour;
    } severities[] = {{"?", COLOUR_NONE},
                      {"low", COLOUR_NONE},
                      {"medium", COLOUR_YELLOW},
                      {"high", COLOUR_RED},
                      {"critical", COLOUR_RED}};
    unsigned severity = (unsigned)alert->severity;
    severity = severity < sizeof severities / sizeof severities[0] ? severity : 0;
    output_begin_colour(output, severities[severity].colour);
    strbuf_add(&output->text, severities[severity].name);
    output_end_colour(output, severities[severity].colour);
}

static void add_lifecycle(struct strbuf *into, const Alert *alert)
{
    if (alert->lifecycle != NETSCOPE__V1__ALERT_LIFECYCLE__ALERT_LIFECYCLE_UPDATED &&
        alert->lifecycle != NETSCOPE__V1__ALERT_LIFECYCLE__ALERT_LIFECYCLE_ENDED)
        return;
    bool ended = alert->lifecycle == NETSCOPE__V1__ALERT_LIFECYCLE__ALERT_LIFECYCLE_ENDED;
    strbuf_addf(into, " (%s", ended ? "ended" : "goes on");
    if (alert->suppressed_count > 0)
        strbuf_addf(into, ", found %" PRIu64 " times more", alert->suppressed_count);
    strbuf_add_char(into, ')');
}

static void add_reasons(struct strbuf *into, const Alert *alert)
{
    for (size_t i = 0; i < alert->n_measures; i++) {
        const Netscope__V1__AlertMeasure *measure = alert->measures[i];
        strbuf_addf(into, "  %.6g ", measure->observed);
        add_shown(into, measure->what);
        strbuf_addf(into, ": from %.6g on an alert", measure->threshold);
        if (measure->setting_value_case != 0) {
            strbuf_add(into, " (");
            add_shown(into, measure->setting);
            strbuf_add_char(into, ')');
        }
        strbuf_add_char(into, '\n');
    }
    if (alert->silenced_by_value_case != 0) {
        strbuf_add(into, "  silenced by analysis.anomalies.allow: ");
        add_shown(into, alert->silenced_by);
        strbuf_add_char(into, '\n');
    }
    strbuf_add(into, "  id ");
    add_shown(into, alert->id);
    strbuf_add_char(into, '\n');
}

void alert_lines_add(struct output *output, const struct Netscope__V1__Alert *alert, const char *node)
{
    struct strbuf *line = &output->text;
    if (node[0] != '\0') {
        add_shown(line, node);
        strbuf_add_char(line, ' ');
    }
    time_add_rfc3339(line, time_of(alert->ts), 0);
    strbuf_add_char(line, ' ');
    add_severity(output, alert);
    strbuf_add_char(line, ' ');
    output_begin_colour(output, COLOUR_BOLD);
    add_shown(line, alert->kind);
    output_end_colour(output, COLOUR_BOLD);
    strbuf_add(line, ": ");
    add_shown(line, alert->description);
    add_lifecycle(line, alert);
    strbuf_add_char(line, '\n');
    if (output->format == OUTPUT_WIDE)
        add_reasons(line, alert);
}
