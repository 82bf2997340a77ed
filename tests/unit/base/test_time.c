#include "base/time.h"

#include <criterion/criterion.h>
#include <time.h>

#include "base/strbuf.h"

static void expect_rfc3339(int64_t time_ns, unsigned digits, const char *shown)
{
    struct strbuf text;
    strbuf_init(&text, 100);
    time_add_rfc3339(&text, time_ns, digits);
    cr_expect_str_eq(text.text, shown, "%s, expected %s", text.text, shown);
    strbuf_done(&text);
}

static void expect_decimal(int64_t time_ns, const char *shown)
{
    struct strbuf text;
    strbuf_init(&text, 100);
    time_add_decimal(&text, time_ns);
    cr_expect_str_eq(text.text, shown, "%s, expected %s", text.text, shown);
    strbuf_done(&text);
}

Test(time, rfc3339)
{
    expect_rfc3339(1714564800123456789, 9, "2024-05-01T12:00:00.123456789Z");
    expect_rfc3339(1714564800123456789, 6, "2024-05-01T12:00:00.123456Z");
    expect_rfc3339(1714564800123456789, 0, "2024-05-01T12:00:00Z");
    expect_rfc3339(0, 3, "1970-01-01T00:00:00.000Z");
    expect_rfc3339(951782400 * NS_PER_S, 0, "2000-02-29T00:00:00Z");
    expect_rfc3339(-1, 9, "1969-12-31T23:59:59.999999999Z");
    expect_rfc3339(INT64_MAX, 9, "2262-04-11T23:47:16.854775807Z");
    expect_rfc3339(INT64_MIN, 9, "1677-09-21T00:12:43.145224192Z");
}

// Against the C library, a bit less than a day apart over all the years.
Test(time, agrees_with_the_c_library)
{
    for (int64_t seconds = -9223372036; seconds < 9223372036; seconds += 86117 * 7) {
        time_t moment = seconds;
        struct tm parts;
        char expected[64];
        gmtime_r(&moment, &parts);
        strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", &parts);
        expect_rfc3339(seconds * NS_PER_S, 0, expected);
    }
}

Test(time, decimal_seconds)
{
    expect_decimal(1714564800123456789, "1714564800.123456789");
    expect_decimal(5, "0.000000005");
    expect_decimal(0, "0.000000000");
    expect_decimal(-500000000, "-0.500000000");
    expect_decimal(INT64_MIN, "-9223372036.854775808");
}

Test(time, spans_of_any_two_stamps)
{
    cr_expect_eq(time_ms(1500 * NS_PER_US), 1.5);
    cr_expect_eq(time_seconds_between(1, 1), 0);
    cr_expect_eq(time_seconds_between(1714564800123456789, 1714564800123456790), 1e-9,
                 "in double the stamps would be equal");
    cr_expect_eq(time_seconds_between(2 * NS_PER_S, NS_PER_S), -1);
    cr_expect_float_eq(time_seconds_between(INT64_MIN, INT64_MAX), 18446744073.709552, 1e-5);
    cr_expect_lt(time_seconds_between(INT64_MAX, INT64_MIN), -1e10);
}
