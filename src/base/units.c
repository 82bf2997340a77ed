#include "base/units.h"

enum {
    GROUP = 1000,
    SECONDS_PER_MINUTE = 60,
    SECONDS_PER_HOUR = 3600,
    SECONDS_PER_DAY = 86400,
    NARROW_SECONDS = 9999
};

void units_add_count(struct strbuf *into, uint64_t count)
{
    if (count < GROUP) {
        strbuf_add_u64(into, count);
        return;
    }
    units_add_count(into, count / GROUP);
    strbuf_addf(into, ",%03u", (unsigned)(count % GROUP));
}

// Three digits: 8.13, 81.3, 813. What would round up to the next digit has its decimals fewer.
static void add_three_digits(struct strbuf *into, double value)
{
    strbuf_addf(into, "%.*f", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value);
}

// Scales by 1000 until three digits are enough.
static void add_scaled(struct strbuf *into, double value, const char *unit)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
    unsigned step = 0;
    for (; value >= 999.5 && step + 1 < sizeof prefixes / sizeof prefixes[0]; step++)
        value /= GROUP;
    if (step == 0)
        strbuf_addf(into, "%.0f", value);
    else
        add_three_digits(into, value);
    strbuf_addf(into, " %s%s", prefixes[step], unit);
}

void units_add_bytes(struct strbuf *into, uint64_t bytes)
{
    add_scaled(into, (double)bytes, "B");
}

void units_add_bit_rate(struct strbuf *into, double bits_per_sec)
{
    add_scaled(into, bits_per_sec, "bit/s");
}

void units_add_percent(struct strbuf *into, double share)
{
    if (share > 0 && share < 0.0005)
        strbuf_add(into, "<0.1 %");
    else
        strbuf_addf(into, "%.1f %%", 100 * share);
}

static void add_short_span(struct strbuf *into, double secs)
{
    static const char *const units[] = {"s", "ms", "us"};
    for (unsigned step = 0; step < sizeof units / sizeof units[0]; step++) {
        if (secs >= 0.9995) {
            add_three_digits(into, secs);
            strbuf_addf(into, " %s", units[step]);
            return;
        }
        secs *= GROUP;
    }
    strbuf_addf(into, "%.0f ns", secs);
}

void units_add_span(struct strbuf *into, double secs)
{
    if (secs <= 0) {
        strbuf_add(into, "0 s");
        return;
    }
    if (secs < SECONDS_PER_MINUTE - 0.05) {
        add_short_span(into, secs);
        return;
    }
    uint64_t whole = (uint64_t)(secs + 0.5);
    if (whole < SECONDS_PER_HOUR)
        strbuf_addf(into, "%u min %02u s", (unsigned)(whole / SECONDS_PER_MINUTE),
                    (unsigned)(whole % SECONDS_PER_MINUTE));
    else if (whole < 2 * SECONDS_PER_DAY)
        strbuf_addf(into, "%u h %02u min", (unsigned)(whole / SECONDS_PER_HOUR),
                    (unsigned)(whole % SECONDS_PER_HOUR / SECONDS_PER_MINUTE));
    else {
        units_add_count(into, whole / SECONDS_PER_DAY);
        strbuf_add(into, " days");
    }
}

void units_add_narrow_span(struct strbuf *into, double secs)
{
    if (secs >= 1 && secs < NARROW_SECONDS)
        add_short_span(into, secs);
    else
        units_add_span(into, secs);
}
