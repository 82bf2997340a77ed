#include "api/alert_text.h"

#include <criterion/criterion.h>

#include "base/strbuf.h"
#include "sample_alert.h"

static struct strbuf text;

static void setup(void)
{
    strbuf_init(&text, 1 << 16);
}

static void teardown(void)
{
    strbuf_done(&text);
}

TestSuite(alert_text, .init = setup, .fini = teardown);

Test(alert_text, one_line_says_what_is_new)
{
    struct alert_event event;
    sample_alert_full(&event);
    alert_text_add_line(&text, &event, event.alert.ts_ns);
    cr_expect_str_eq(text.text,
                     "2024-05-01T12:00:05Z high host_sweep: 10.0.0.9 swept 30 hosts on tcp port 22 "
                     "(goes on, found 59 times more)");
    strbuf_clear(&text);
    event.alert.lifecycle = ALERT_STARTED;
    strcpy(event.alert.description, "a\x1b[31mb");
    alert_text_add_line(&text, &event, event.alert.ts_ns);
    cr_expect_str_eq(text.text, "2024-05-01T12:00:05Z high host_sweep: a\\x1b[31mb");
    strbuf_clear(&text);
    event.alert.lifecycle = ALERT_ENDED;
    event.alert.suppressed_count = 0;
    strcpy(event.alert.description, "b");
    alert_text_add_line(&text, &event, event.alert.ts_ns);
    cr_expect_str_eq(text.text, "2024-05-01T12:00:05Z high host_sweep: b (ended)");
}

Test(alert_text, the_reasons_name_figures_and_settings)
{
    struct alert_event event;
    sample_alert_full(&event);
    alert_text_add_reasons(&text, &event.alert, "> ");
    cr_expect_str_eq(text.text,
                     "> 30 hosts whose first contacts failed: from 25 on an alert\n"
                     "> 0.75 of its first contacts failed: from 0.5 on an alert\n"
                     "> not raised with analysis.anomalies.host_sweep.unique_hosts_threshold above 30\n"
                     "> silenced by analysis.anomalies.allow: \"10.0.0.9 port=22\"\n");
    strbuf_clear(&text);
    sample_alert_empty(&event);
    alert_text_add_reasons(&text, &event.alert, "");
    cr_expect_str_eq(text.text, "");
}
