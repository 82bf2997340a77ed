// What a file may claim of a frame and what is taken of it: stamps and lengths that sums can bear. The source's thread.
#pragma once

#include "base/time.h"
#include "capture/clock.h"
#include "capture/source.h"
#include "pipeline/totals.h"

// Between 1823 and 2116 sums with offsets and timeouts cannot overflow; others are moved there, and counted.
static inline int64_t claims_bounded_stamp(struct totals *totals, int64_t time_ns)
{
    if (__builtin_expect(time_ns >= -PACKET_CLOCK_LATEST_NS && time_ns <= PACKET_CLOCK_LATEST_NS, 1))
        return time_ns;
    totals->bounded_stamps++;
    return time_ns < 0 ? -PACKET_CLOCK_LATEST_NS : PACKET_CLOCK_LATEST_NS;
}

// A length that no frame has is what the IP header says, or else the greatest that one has; counted.
struct frame claims_possible_length(struct totals *totals, const struct frame *frame);
