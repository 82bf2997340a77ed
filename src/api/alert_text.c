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

// Whether settings can be raised so that nothing of the group holds.
static bool can_be_raised(const struct alert *alert, unsigned group)
{
    bool some = false;
    for (unsigned i = 0; i < alert->measure_count; i++) {
        const struct alert_measure *measure = &alert->measure[i];
        if (measure->group == group && measure->setting[0] == '\0')
            return false;
        some |= measure->group == group;
    }
    return some;
}

static void add_raised(struct strbuf *into, const struct alert *alert, unsigned group)
{
    const char *before = "";
    for (unsigned i = 0; i < alert->measure_count; i++) {
        const struct alert_measure *measure = &alert->measure[i];
        if (measure->group != group)
            continue;
        strbuf_addf(into, "%s%s above ", before, measure->setting);
        add_figure(into, measure->observed);
        before = " and ";
    }
}

// One of each group must hold.
static void add_cure(struct strbuf *into, const struct alert *alert, const char *prefix)
{
    bool some = false;
    for (unsigned group = 0; group < ALERT_MEASURES; group++) {
        if (!can_be_raised(alert, group))
            continue;
        strbuf_addf(into, "%s%s", some ? "" : prefix, some ? ", or with " : "not raised with ");
        add_raised(into, alert, group);
        some = true;
    }
    if (some)
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
