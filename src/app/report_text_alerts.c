// Of the report for people: the alerts.
#include <inttypes.h>

#include "api/alert_text.h"
#include "app/report_text_parts.h"
#include "base/strbuf.h"

void report_add_alerts(struct strbuf *into, const struct report_summary *summary)
{
    const struct report_alerts *alerts = &summary->alerts;
    if (alerts->count == 0)
        return;
    strbuf_add(into, "\nAlerts\n");
    for (unsigned i = 0; i < alerts->count; i++) {
        strbuf_add(into, "  ");
        alert_text_add_line(into, &alerts->rows[i], alerts->rows[i].alert.first_seen_ns);
        strbuf_add_char(into, '\n');
        if (summary->context.explain_alerts)
            alert_text_add_reasons(into, &alerts->rows[i].alert, "      ");
    }
    if (alerts->raised > alerts->count)
        strbuf_addf(into, "  +%" PRIu64 " more\n", alerts->raised - alerts->count);
}
