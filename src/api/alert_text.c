#include "api/alert_text.h"

#include <inttypes.h>
#include <math.h>

#include "api/text.h"
#include "base/strbuf.h"
#include "base/time.h"
#include "detect/allow_list.h"

enum { LONGEST_TEXT = 4096 };

static void add_escaped(struct strbuf *into, const char *text)
{
    struct strbuf scratch;
    strbuf_init(&scratch, LONGEST_TEXT);
    strbuf_add(into, api_text(&scratch, text));
    strbuf_done(&scratch);
}

static void add_lifecycle(struct strbuf *into, const struct alert *alert)
{
    if (alert->lifecycle == ALERT_STARTED)
        return;
    strbuf_addf(into, " (%s", alert->lifecycle == ALERT_ENDED ? "ended" : "goes on");
    if (alert->suppressed_count > 0)
        strbuf_addf(into, ", found %" PRIu64 " times more", alert->suppressed_count);
    strbuf_add_char(into, ')');
}

void alert_text_add_line(struct strbuf *into, const struct alert_event *event, int64_t time_ns)
{
    const struct alert *alert = &event->alert;
    time_add_rfc3339(into, time_ns, 0);
    strbuf_addf(into, " %s %s: ", alert_severity_name((enum alert_severity)alert->severity),
                alert_kind_name((enum alert_kind)alert->kind));
    add_escaped(into, alert->description);
    add_lifecycle(into, alert);
}

// Without more digits than it has: "30", "0.75".
static void add_figure(struct strbuf *into, double figure)
{
    if (figure >= 0 && figure < 1e15 && figure == floor(figure))
        strbuf_add_u64(into, (uint64_t)figure);
    else
        strbuf_addf(into, "%.3g", figure);
}

static void add_measure(struct strbuf *into, const struct alert_measure *measure, const char *prefix)
{
    strbuf_add(into, prefix);
    add_figure(into, measure->observed);
    strbuf_addf(into, " %s: from ", measure->what);
    add_figure(into, measure->threshold);
    strbuf_add(into, " on an alert\n");
}

// Whether the measure is one of those whose settings keep the alert away: of conditions that are each enough all must be
// out of reach, of those that must hold together one.
static bool keeps_away(const struct alert *alert, const struct alert_measure *measure)
{
    bool some_alone = false;
    for (unsigned i = 0; i < alert->measure_count; i++)
        some_alone |= alert->measure[i].alone;
    return measure->setting[0] != '\0' && measure->alone == some_alone;
}

static void add_cure(struct strbuf *into, const struct alert *alert, const char *prefix)
{
    unsigned count = 0;
    for (unsigned i = 0; i < alert->measure_count; i++) {
        const struct alert_measure *measure = &alert->measure[i];
        if (!keeps_away(alert, measure))
            continue;
        if (count++ == 0)
            strbuf_addf(into, "%snot raised with ", prefix);
        else
            strbuf_add(into, measure->alone ? " and " : " or ");
        strbuf_addf(into, "%s above ", measure->setting);
        add_figure(into, measure->observed);
    }
    if (count > 0)
        strbuf_add_char(into, '\n');
}

void alert_text_add_reasons(struct strbuf *into, const struct alert *alert, const char *prefix)
{
    char entry[ALLOW_ENTRY_BYTES];
    for (unsigned i = 0; i < alert->measure_count; i++)
        add_measure(into, &alert->measure[i], prefix);
    add_cure(into, alert, prefix);
    allow_list_entry_for(alert, entry);
    if (entry[0] != '\0')
        strbuf_addf(into, "%ssilenced by analysis.anomalies.allow: \"%s\"\n", prefix, entry);
}
