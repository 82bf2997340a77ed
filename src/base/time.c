#include "base/time.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/strbuf.h"

enum { SECONDS_PER_DAY = 86400, DAYS_PER_ERA = 146097, FRACTION_DIGITS = 9 };

struct civil_date {
    int year, month, day;
};

static void fixed_digits(char *into, unsigned digits, uint64_t value)
{
    for (unsigned i = digits; i > 0; i--) {
        into[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    assert(value == 0); // it fits
}

static void add_fixed(struct strbuf *into, unsigned digits, uint64_t value)
{
    char text[FRACTION_DIGITS];
    assert(digits <= sizeof text);
    fixed_digits(text, digits, value);
    strbuf_add_bytes(into, text, digits);
}

// The Gregorian date of a day number since 1970-01-01. Counts years from March so that the leap day
// is the last of its year; a 400-year era always has the same length.
static struct civil_date civil_date_of(int64_t days_since_epoch)
{
    int64_t days = days_since_epoch + 719468; // since 0000-03-01
    int64_t era = (days >= 0 ? days : days - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t day_of_era = days - era * DAYS_PER_ERA;
    assert(day_of_era >= 0 && day_of_era < DAYS_PER_ERA);
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t months_from_march = (5 * day_of_year + 2) / 153;
    int month = (int)(months_from_march < 10 ? months_from_march + 3 : months_from_march - 9);
    return (struct civil_date){
        .year = (int)(year_of_era + era * 400) + (month <= 2 ? 1 : 0),
        .month = month,
        .day = (int)(day_of_year - (153 * months_from_march + 2) / 5) + 1,
    };
}

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0 ? 1 : 0);
}

static void add_fraction(struct strbuf *into, uint64_t nanoseconds, unsigned digits)
{
    if (digits == 0)
        return;
    char text[1 + FRACTION_DIGITS] = ".";
    fixed_digits(text + 1, FRACTION_DIGITS, nanoseconds);
    strbuf_add_bytes(into, text, 1 + (digits < FRACTION_DIGITS ? digits : FRACTION_DIGITS));
}

void time_add_rfc3339(struct strbuf *into, int64_t time_ns, unsigned digits)
{
    int64_t seconds = floor_divide(time_ns, NS_PER_S);
    int64_t days = floor_divide(seconds, SECONDS_PER_DAY);
    unsigned of_day = (unsigned)(seconds - days * SECONDS_PER_DAY);
    assert(of_day < SECONDS_PER_DAY);
    struct civil_date date = civil_date_of(days);
    assert(date.year > 0 && date.month >= 1 && date.month <= 12 && date.day >= 1 && date.day <= 31);

    char text[] = "YYYY-MM-DDTHH:MM:SS";
    fixed_digits(text, 4, (uint64_t)date.year);
    fixed_digits(text + 5, 2, (uint64_t)date.month);
    fixed_digits(text + 8, 2, (uint64_t)date.day);
    fixed_digits(text + 11, 2, of_day / 3600);
    fixed_digits(text + 14, 2, of_day / 60 % 60);
    fixed_digits(text + 17, 2, of_day % 60);
    strbuf_add_bytes(into, text, sizeof text - 1);
    int64_t fraction = time_ns % NS_PER_S;
    add_fraction(into, (uint64_t)(fraction < 0 ? fraction + NS_PER_S : fraction), digits);
    strbuf_add_char(into, 'Z');
}

void time_add_decimal(struct strbuf *into, int64_t time_ns)
{
    uint64_t magnitude = time_ns < 0 ? -(uint64_t)time_ns : (uint64_t)time_ns;
    if (time_ns < 0)
        strbuf_add_char(into, '-');
    strbuf_add_u64(into, magnitude / NS_PER_S);
    strbuf_add_char(into, '.');
    add_fixed(into, FRACTION_DIGITS, magnitude % NS_PER_S);
}

// Exactly `digits` of them, behind `before` unless that is 0.
static bool take_number(const char **text, char before, unsigned digits, int *value)
{
    const char *at = *text;
    if (before != '\0' && *at++ != before)
        return false;
    *value = 0;
    for (unsigned i = 0; i < digits; i++, at++) {
        if (*at < '0' || *at > '9')
            return false;
        *value = *value * 10 + (*at - '0');
    }
    *text = at;
    return true;
}

static bool take_zone(const char *text, int *seconds)
{
    int hours, minutes, sign = *text == '-' ? -1 : 1;
    *seconds = 0;
    if (*text == 'Z' || *text == 'z')
        return text[1] == '\0';
    if ((*text != '+' && *text != '-') || !take_number(&text, *text, 2, &hours) ||
        !take_number(&text, ':', 2, &minutes))
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return *text == '\0' && hours < 24 && minutes < 60;
}

static bool take_time(const char *text, struct tm *time, int *zone_seconds)
{
    if ((*text != 'T' && *text != 't') || !take_number(&text, *text, 2, &time->tm_hour) ||
        !take_number(&text, ':', 2, &time->tm_min) || !take_number(&text, ':', 2, &time->tm_sec))
        return false;
    if (*text == '.')
        text += 1 + strspn(text + 1, "0123456789");
    return time->tm_hour < 24 && time->tm_min < 60 && time->tm_sec < 60 && take_zone(text, zone_seconds);
}

bool time_parse_rfc3339(const char *text, int64_t *time_ns)
{
    enum { FIRST_YEAR = 1970, LAST_YEAR = 2261 };
    struct tm time = {.tm_hour = 23, .tm_min = 59, .tm_sec = 59};
    int year, month, day, zone_seconds = 0;
    if (!take_number(&text, '\0', 4, &year) || !take_number(&text, '-', 2, &month) ||
        !take_number(&text, '-', 2, &day) || year < FIRST_YEAR || year > LAST_YEAR ||
        (*text != '\0' && !take_time(text, &time, &zone_seconds)))
        return false;
    time.tm_year = year - 1900;
    time.tm_mon = month - 1;
    time.tm_mday = day;
    int64_t seconds = timegm(&time); // a day that the month has not becomes one of the next
    if (time.tm_mday != day || time.tm_mon != month - 1)
        return false;
    *time_ns = (seconds - zone_seconds) * NS_PER_S;
    return true;
}
