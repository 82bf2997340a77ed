#include "app/alert_lines.h"

#include "../api/sample_alert.h"
#include "../control/running.h"
#include "api/report_message.h"
#include "app/report_text.h"
#include "app/terminal.h"
#include "report/report.h"

static struct alert_event sample(enum alert_kind kind, enum alert_lifecycle lifecycle)
{
    struct alert_event event;
    sample_alert_full(&event);
    event.alert.kind = (uint8_t)kind;
    event.alert.lifecycle = (uint8_t)lifecycle;
    event.alert.measure_count = 1;
    return event;
}

static void give(struct alert_lines *lines, enum alert_kind kind, enum alert_lifecycle lifecycle)
{
    struct sink *sink = alert_lines_sink(lines);
    struct alert_event event = sample(kind, lifecycle);
    sink->ops->alert(sink, &event);
}

static void read_back(FILE *file, char *into, size_t room)
{
    rewind(file);
    size_t length = fread(into, 1, room - 1, file);
    into[length] = '\0';
}

static bool never(void)
{
    return false;
}

static void tell_one(const char *yaml, char *told, size_t room)
{
    struct running running;
    struct error error;
    FILE *file = tmpfile();
    struct terminal_setup setup = {fileno(file), "standard output", never};
    struct terminal *terminal = terminal_create(&setup, &error);
    begin_run(&running, yaml);
    struct alert_lines *lines = alert_lines_create(running.control, terminal);
    give(lines, ALERT_HOST_SWEEP, ALERT_STARTED);
    cr_expect(terminal_flush(terminal, &error));
    read_back(file, told, room);
    alert_lines_sink(lines)->ops->destroy(alert_lines_sink(lines));
    terminal_destroy(terminal);
    fclose(file);
    start_run(&running);
    end_run(&running);
}

Test(alert_lines, one_line_an_alert, .timeout = 60)
{
    char told[2000];
    tell_one("analysis: {anomalies: {explain: false}}", told, sizeof told);
    cr_expect_str_eq(told, "2024-05-01T12:00:05Z high host_sweep: 10.0.0.9 swept 30 hosts on tcp port 22\n");
    tell_one("analysis: {anomalies: {explain: true}}", told, sizeof told);
    cr_expect_str_eq(told, "2024-05-01T12:00:05Z high host_sweep: 10.0.0.9 swept 30 hosts on tcp port 22\n"
                           "  30 hosts whose first contacts failed: from 25 on an alert\n"
                           "  not raised with analysis.anomalies.host_sweep.unique_hosts_threshold above 30\n"
                           "  silenced by analysis.anomalies.allow: \"10.0.0.9 port=22\"\n");
}

Test(alert_lines, what_started_is_counted)
{
    struct strbuf text;
    strbuf_init(&text, 1000);
    struct alert_lines *lines = alert_lines_create(NULL, NULL);
    alert_lines_add_summary(&text, lines);
    cr_expect_str_eq(text.text, "");
    give(lines, ALERT_SYN_FLOOD, ALERT_STARTED);
    give(lines, ALERT_PORT_SCAN, ALERT_STARTED);
    give(lines, ALERT_PORT_SCAN, ALERT_STARTED);
    give(lines, ALERT_PORT_SCAN, ALERT_UPDATED);
    give(lines, ALERT_PORT_SCAN, ALERT_ENDED);
    cr_expect_eq(alert_lines_raised(lines), 3);
    alert_lines_add_summary(&text, lines);
    cr_expect_str_eq(text.text, "alerts: 3 raised (syn_flood 1, port_scan 2)\n");
    alert_lines_sink(lines)->ops->destroy(alert_lines_sink(lines));
    strbuf_done(&text);
}

static void render(bool explain, struct strbuf *text, struct strbuf *json)
{
    static struct totals totals;
    struct error error;
    struct report *report = report_create(1);
    struct sink *sink = report_sink(report);
    struct alert_event high = sample(ALERT_HOST_SWEEP, ALERT_STARTED), low = high;
    low.alert.severity = ALERT_LOW;
    strcpy(low.alert.id, "other");
    sink->ops->alert(sink, &low);
    sink->ops->alert(sink, &high);
    cr_assert(sink->ops->finish(sink, &totals, &error));
    const struct report_summary *summary =
        report_finish_summary(report, &(struct report_context){.explain_alerts = explain});
    report_text_add(text, summary);
    cr_assert(report_json_add(json, summary));
    report_destroy(report);
}

Test(alert_lines, a_report_lists_them_as_text_and_as_json)
{
    struct strbuf text, json;
    strbuf_init(&text, 1 << 20);
    strbuf_init(&json, 1 << 20);
    render(false, &text, &json);
    cr_expect_not_null(strstr(text.text,
                              "\nAlerts\n  2024-05-01T12:00:00Z high host_sweep: 10.0.0.9 swept 30 "
                              "hosts on tcp port 22\n  +1 more\n"),
                       "%s", text.text);
    cr_expect_not_null(strstr(json.text, "  \"alerts\": {\n    \"raised\": 2,\n    \"by_kind\": [\n      {\n"
                                         "        \"kind\": \"host_sweep\",\n        \"alerts\": 2\n"),
                       "%s", json.text);
    cr_expect_not_null(strstr(json.text, "\"silenced_by\": \"10.0.0.9 port=22\""));
    cr_expect_null(strstr(json.text, "\"id\": \"other\""), "one row was asked for");
    strbuf_clear(&text);
    strbuf_clear(&json);
    render(true, &text, &json);
    cr_expect_not_null(
        strstr(text.text, "port 22\n      30 hosts whose first contacts failed: from 25 on an alert"), "%s",
        text.text);
    strbuf_done(&text);
    strbuf_done(&json);
}
