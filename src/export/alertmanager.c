#include "export/alertmanager.h"

#include <inttypes.h>
#include <string.h>

#include "api/alert_text.h"
#include "api/json.h"
#include "base/strbuf.h"
#include "base/time.h"

enum { LONGEST_TEXT = 16384 };

static void add_member(struct strbuf *into, const char *name, const char *text)
{
    bool first = into->length > 0 && into->text[into->length - 1] == '{';
    strbuf_addf(into, "%s\"%s\":", first ? "" : ",", name);
    json_add_string(into, text, strlen(text));
}

static void add_time(struct strbuf *into, const char *name, int64_t time_ns)
{
    strbuf_addf(into, ",\"%s\":\"", name);
    time_add_rfc3339(into, time_ns, 9);
    strbuf_add_char(into, '"');
}

// Labels are what an alert is known by: they stay as they were when it started.
static void add_labels(struct strbuf *into, const struct alert_event *event)
{
    const struct alert *alert = &event->alert;
    strbuf_add(into, "\"labels\":{");
    add_member(into, "alertname", alert_kind_name((enum alert_kind)alert->kind));
    add_member(into, "severity", alert_severity_name((enum alert_severity)alert->severity_at_start));
    add_member(into, "node", event->node);
    add_member(into, "fingerprint", alert->fingerprint);
    strbuf_add_char(into, '}');
}

static void add_party(struct strbuf *into, const struct alert_party *party, const struct alert_name *name)
{
    char text[ENDPOINT_TEXT_BYTES];
    bool port = party->endpoint.port != 0;
    strbuf_add(into, port ? endpoint_format(&party->endpoint, text)
                          : address_format(&party->endpoint.address, text));
    if (name->name[0] != '\0')
        strbuf_addf(into, " (%s)", name->name);
}

static void add_parties(struct strbuf *into, const char *member, const struct alert_party *parties,
                        const struct alert_name *names, unsigned count, uint64_t total)
{
    struct strbuf text;
    strbuf_init(&text, LONGEST_TEXT);
    for (unsigned i = 0; i < count; i++) {
        strbuf_add(&text, i > 0 ? ", " : "");
        add_party(&text, &parties[i], &names[i]);
    }
    if (total > count)
        strbuf_addf(&text, "%s%" PRIu64 " more", count > 0 ? " and " : "", total - count);
    add_member(into, member, text.text);
    strbuf_done(&text);
}

static void add_annotations(struct strbuf *into, const struct alert_event *event)
{
    const struct alert *alert = &event->alert;
    struct strbuf reasons;
    strbuf_init(&reasons, LONGEST_TEXT);
    alert_text_add_reasons(&reasons, alert, "");
    strbuf_add(into, ",\"annotations\":{");
    add_member(into, "summary", alert->description);
    add_member(into, "description", reasons.text);
    add_parties(into, "sources", alert->source, event->source_name, alert->source_count,
                alert->sources_total);
    add_parties(into, "targets", alert->target, event->target_name, alert->target_count,
                alert->targets_total);
    add_member(into, "severity_now", alert_severity_name((enum alert_severity)alert->severity));
    add_member(into, "id", alert->id);
    strbuf_add_char(into, '}');
    strbuf_done(&reasons);
}

// Without endsAt Alertmanager lets an alert go by its own resolve_timeout.
void alertmanager_add(struct strbuf *into, const struct alert_event *event)
{
    const struct alert *alert = &event->alert;
    strbuf_add_char(into, '{');
    add_labels(into, event);
    add_annotations(into, event);
    add_time(into, "startsAt", alert->first_seen_ns);
    if (alert->lifecycle == ALERT_ENDED)
        add_time(into, "endsAt", alert->ts_ns > alert->first_seen_ns ? alert->ts_ns : alert->first_seen_ns);
    strbuf_add_char(into, '}');
}
