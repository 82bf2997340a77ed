#include <criterion/criterion.h>

#include "base/units.h"

static struct strbuf text;

static void expect(const char *wanted)
{
    cr_expect_str_eq(text.text, wanted, "%s instead of %s", text.text, wanted);
    strbuf_done(&text);
}

static void expect_bytes(uint64_t bytes, const char *wanted)
{
    strbuf_init(&text, 64);
    units_add_bytes(&text, bytes);
    expect(wanted);
}

static void expect_span(double secs, const char *wanted)
{
    strbuf_init(&text, 64);
    units_add_span(&text, secs);
    expect(wanted);
}

static void expect_count(uint64_t count, const char *wanted)
{
    strbuf_init(&text, 64);
    units_add_count(&text, count);
    expect(wanted);
}

static void expect_percent(double share, const char *wanted)
{
    strbuf_init(&text, 64);
    units_add_percent(&text, share);
    expect(wanted);
}

Test(units, bytes_have_three_digits)
{
    expect_bytes(0, "0 B");
    expect_bytes(999, "999 B");
    expect_bytes(1000, "1.00 kB");
    expect_bytes(8130000, "8.13 MB");
    expect_bytes(81300000, "81.3 MB");
    expect_bytes(999949, "1.00 MB");
    expect_bytes(999499, "999 kB");
    expect_bytes(UINT64_MAX, "18.4 EB");
}

Test(units, spans_have_the_unit_that_fits)
{
    expect_span(0, "0 s");
    expect_span(850e-9, "850 ns");
    expect_span(12.3e-6, "12.3 us");
    expect_span(0.0123, "12.3 ms");
    expect_span(4.2, "4.20 s");
    expect_span(59.97, "1 min 00 s");
    expect_span(192.4, "3 min 12 s");
    expect_span(18240, "5 h 04 min");
    expect_span(86400.0 * 4120, "4,120 days");
}

Test(units, counts_are_grouped)
{
    expect_count(0, "0");
    expect_count(999, "999");
    expect_count(1000, "1,000");
    expect_count(1002003, "1,002,003");
}

Test(units, small_shares_are_not_zero)
{
    expect_percent(0, "0.0 %");
    expect_percent(0.0001, "<0.1 %");
    expect_percent(0.1234, "12.3 %");
    expect_percent(1, "100.0 %");
}
