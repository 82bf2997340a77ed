// Units of time and their text. All times are nanoseconds since the Unix epoch in int64_t (they reach
// the year 2262), all spans nanoseconds. Pure; any thread. The only clock is in capture/.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

struct strbuf;

static inline double time_ms(int64_t span_ns)
{
    return (double)span_ns / (double)NS_PER_MS;
}

// Seconds from one stamp to another, negative when the second is earlier. Exact to the nanosecond but where the
// stamps, hostile ones, are further apart than 64 bits of nanoseconds.
static inline double time_seconds_between(int64_t from_ns, int64_t to_ns)
{
    int64_t exact_ns;
    if (!__builtin_sub_overflow(to_ns, from_ns, &exact_ns))
        return (double)exact_ns / (double)NS_PER_S;
    return ((double)to_ns - (double)from_ns) / (double)NS_PER_S;
}

// "2024-05-01T12:00:00.123456789Z" (RFC 3339, UTC) with `digits` (0 to 9) after the point.
void time_add_rfc3339(struct strbuf *into, int64_t time_ns, unsigned digits);
// "1714564800.123456789": decimal Unix seconds with 9 digits.
void time_add_decimal(struct strbuf *into, int64_t time_ns);
// The time that an RFC 3339 text with a zone tells ("2024-05-01T12:00:00Z", "...+02:00"; a fraction is cut), or a date
// alone its end in UTC. Years 1970 to 2261. False when it is none.
bool time_parse_rfc3339(const char *text, int64_t *time_ns);
