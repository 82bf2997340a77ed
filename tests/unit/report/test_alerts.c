#include <criterion/criterion.h>

#include "../api/sample_alert.h"
#include "report/report.h"

static struct report *report;

static void start(void)
{
    report = report_create(3);
    cr_assert_not_null(report);
}

static void stop(void)
{
    report_destroy(report);
}

TestSuite(alerts, .init = start, .fini = stop);

static void give(unsigned number, enum alert_severity severity, enum alert_lifecycle lifecycle)
{
    struct alert_event event;
    sample_alert_full(&event);
    snprintf(event.alert.id, sizeof event.alert.id, "%u", number);
    event.alert.first_seen_ns = number;
    event.alert.severity = (uint8_t)severity;
    event.alert.lifecycle = (uint8_t)lifecycle;
    event.alert.kind = number % 2 == 0 ? ALERT_PORT_SCAN : ALERT_HOST_SWEEP;
    report_sink(report)->ops->alert(report_sink(report), &event);
}

static const struct report_alerts *finish(const struct report_summary **summary)
{
    static struct totals totals;
    struct error error;
    struct sink *sink = report_sink(report);
    cr_assert(sink->ops->finish(sink, &totals, &error));
    *summary = report_finish_summary(report, &(struct report_context){0});
    cr_assert_not_null(*summary);
    return &(*summary)->alerts;
}

Test(alerts, the_most_severe_are_listed_and_all_are_counted)
{
    const struct report_summary *summary;
    give(1, ALERT_LOW, ALERT_STARTED);
    give(2, ALERT_MEDIUM, ALERT_STARTED);
    give(3, ALERT_LOW, ALERT_STARTED);
    give(4, ALERT_HIGH, ALERT_STARTED);
    give(5, ALERT_LOW, ALERT_STARTED);
    give(6, ALERT_HIGH, ALERT_STARTED);
    const struct report_alerts *alerts = finish(&summary);
    cr_expect_eq(alerts->raised, 6);
    cr_expect_eq(alerts->by_kind[ALERT_PORT_SCAN], 3);
    cr_assert_eq(alerts->count, 3);
    cr_expect_str_eq(alerts->rows[0].alert.id, "4");
    cr_expect_str_eq(alerts->rows[1].alert.id, "6");
    cr_expect_str_eq(alerts->rows[2].alert.id, "2");
    cr_expect_not_null(
        strstr(summary->headlines.text[0], "6 alerts were raised: 3 port_scan, 3 host_sweep."));
}

// One row an alert, with what was told last and all that was suppressed.
Test(alerts, what_goes_on_stays_one_row)
{
    const struct report_summary *summary;
    give(1, ALERT_LOW, ALERT_STARTED);
    give(1, ALERT_HIGH, ALERT_UPDATED);
    give(1, ALERT_LOW, ALERT_ENDED);
    const struct report_alerts *alerts = finish(&summary);
    cr_expect_eq(alerts->raised, 1);
    cr_assert_eq(alerts->count, 1);
    cr_expect_eq(alerts->rows[0].alert.severity, ALERT_HIGH);
    cr_expect_eq(alerts->rows[0].alert.lifecycle, ALERT_ENDED);
    cr_expect_eq(alerts->rows[0].alert.suppressed_count, 3 * 59);
    cr_expect_not_null(strstr(summary->headlines.text[0], "1 alert was raised: 1 host_sweep."));
}

Test(alerts, nothing_is_said_of_none)
{
    const struct report_summary *summary;
    const struct report_alerts *alerts = finish(&summary);
    cr_expect_eq(alerts->raised, 0);
    cr_expect_eq(summary->headlines.count, 0);
}
