// Figures as people read them: SI units, three digits. Appended to a string buffer. Pure; any thread.
#pragma once

#include <stdint.h>

#include "base/strbuf.h"

void units_add_count(struct strbuf *into, uint64_t count);         // "12,345"
void units_add_bytes(struct strbuf *into, uint64_t bytes);         // "512 B", "8.13 MB"
void units_add_bit_rate(struct strbuf *into, double bits_per_sec); // "333 kbit/s"
void units_add_percent(struct strbuf *into, double share);         // 0.123: "12.3 %"; "<0.1 %"
// "850 ns", "12.3 ms", "4.20 s", "3 min 12 s", "5 h 04 min", "412 days"
void units_add_span(struct strbuf *into, double secs);
// For columns: "192 s" up to 9,999 s.
void units_add_narrow_span(struct strbuf *into, double secs);
