// Units of time and their text. All times are nanoseconds since the Unix epoch in int64_t (they reach
// the year 2262), all spans nanoseconds. Pure; any thread. The only clock is in capture/.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

struct strbuf;

// "2024-05-01T12:00:00.123456789Z" (RFC 3339, UTC) with `digits` (0 to 9) after the point.
void time_add_rfc3339(struct strbuf *into, int64_t time_ns, unsigned digits);
// "1714564800.123456789": decimal Unix seconds with 9 digits.
void time_add_decimal(struct strbuf *into, int64_t time_ns);
