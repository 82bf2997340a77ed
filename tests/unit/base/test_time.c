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

Test(time, reads_rfc3339)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"2024-05-01T12:00:00Z", 1714564800},
        {"2024-05-01t12:00:00.999z", 1714564800},
        {"2024-05-01T14:00:00+02:00", 1714564800},
        {"2024-05-01T06:30:00-05:30", 1714564800},
        {"2024-02-29", 1709251199},
        {"1970-01-01T00:00:00Z", 0},
        {"2261-12-31T23:59:59-23:59", 9214732739},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t time_ns = -1;
        cr_expect(time_parse_rfc3339(cases[i].text, &time_ns), "%s", cases[i].text);
        cr_expect_eq(time_ns, cases[i].seconds * NS_PER_S, "%s: %lld", cases[i].text, (long long)time_ns);
    }
}

Test(time, refuses_what_is_no_rfc3339)
{
    static const char *const broken[] = {"",
                                         "2024",
                                         "2024-5-1",
                                         "2024-13-01",
                                         "2024-02-30",
                                         "2024-00-10",
                                         "1969-12-31",
                                         "2262-01-01",
                                         "2024-05-01T",
                                         "2024-05-01T12:00:00",
                                         "2024-05-01T24:00:00Z",
                                         "2024-05-01T12:60:00Z",
                                         "2024-05-01T12:00:00+2",
                                         "2024-05-01T12:00:00Zx",
                                         "2024-05-01 12:00:00Z",
                                         "+024-05-01"};
    int64_t time_ns = 7;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        cr_expect_not(time_parse_rfc3339(broken[i], &time_ns), "%s", broken[i]);
    cr_expect_eq(time_ns, 7);
}
