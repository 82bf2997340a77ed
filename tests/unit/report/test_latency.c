#include <criterion/criterion.h>

#include "base/time.h"
#include "report/latency.h"

Test(report_latency, nothing_has_no_quantile)
{
    struct report_latency latency = {0};
    cr_expect_eq(report_latency_quantile(&latency, 0.5), -1);
}

Test(report_latency, quantiles_of_single_values_are_within_seven_percent)
{
    for (int64_t span_ns = 10 * NS_PER_US; span_ns < 3600 * NS_PER_S; span_ns += span_ns / 7) {
        struct report_latency latency = {0};
        report_latency_add(&latency, span_ns);
        double error = (double)report_latency_quantile(&latency, 0.5) / (double)span_ns - 1;
        cr_expect(error > -0.07 && error < 0.07, "%ld ns: off by %f", (long)span_ns, error);
    }
}

Test(report_latency, quantiles_split_a_range)
{
    struct report_latency latency = {0};
    for (int64_t i = 1000; i >= 1; i--)
        report_latency_add(&latency, i * NS_PER_MS);
    cr_expect_float_eq((double)report_latency_quantile(&latency, 0.5), 500e6, 35e6);
    cr_expect_float_eq((double)report_latency_quantile(&latency, 0.95), 950e6, 66e6);
}

Test(report_latency, the_extremes_have_buckets)
{
    struct report_latency latency = {0};
    report_latency_add(&latency, -5);
    report_latency_add(&latency, INT64_MAX);
    cr_expect_eq(latency.count, 2);
    cr_expect_gt(report_latency_quantile(&latency, 0.99), 0);
}
