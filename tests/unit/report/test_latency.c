#include <criterion/criterion.h>

#include "base/time.h"
#include "report/latency.h"

Test(report_latency, nothing_has_no_quantile)
{
    struct report_latency latency = {0};
    cr_expect_eq(report_latency_quantile(&latency, 0.5), -1);
}

// However odd the spans are.
Test(report_latency, a_median_of_few_is_exact)
{
    struct report_latency latency = {0};
    static const int64_t spans[] = {7654321, 1, 300 * NS_PER_S, 1234567};
    report_latency_add(&latency, spans[0]);
    cr_expect_eq(report_latency_quantile(&latency, 0.5), spans[0]);
    report_latency_add(&latency, spans[1]);
    report_latency_add(&latency, spans[2]);
    cr_expect_eq(report_latency_quantile(&latency, 0.5), spans[0]);
    report_latency_add(&latency, spans[3]);
    cr_expect_eq(report_latency_quantile(&latency, 0.5), (spans[0] + spans[3]) / 2);
}

Test(report_latency, quantiles_of_many_are_within_seven_percent)
{
    for (int64_t span_ns = 10 * NS_PER_US; span_ns < 3600 * NS_PER_S; span_ns += span_ns / 7) {
        struct report_latency latency = {0};
        for (unsigned i = 0; i <= LATENCY_EXACT; i++)
            report_latency_add(&latency, span_ns);
        double error = (double)report_latency_quantile(&latency, 0.5) / (double)span_ns - 1;
        cr_expect(error > -0.07 && error < 0.07, "%ld ns: off by %f", (long)span_ns, error);
    }
}

Test(report_latency, quantiles_split_a_range)
{
    struct report_latency latency = {0};
    for (int64_t i = 2000; i >= 1; i--)
        report_latency_add(&latency, i * NS_PER_MS / 2);
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
