#include "capture/clock.h"

#include <assert.h>
#include <time.h>

#include "base/time.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec at;
    int got = clock_gettime(id, &at);
    assert(got == 0);
    return (int64_t)at.tv_sec * NS_PER_S + at.tv_nsec;
}

int64_t clock_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

static int64_t add_saturated(int64_t left, int64_t right)
{
    int64_t sum;
    if (!__builtin_add_overflow(left, right, &sum))
        return sum;
    return left < 0 ? INT64_MIN : INT64_MAX;
}

static int64_t subtract_saturated(int64_t left, int64_t right)
{
    int64_t difference;
    if (!__builtin_sub_overflow(left, right, &difference))
        return difference;
    return left < 0 ? INT64_MIN : INT64_MAX;
}

// The days that bring the first stamp behind 1970.
static int64_t base_for(int64_t stamp_ns)
{
    static const int64_t day_ns = 86400 * NS_PER_S;
    return stamp_ns < 0 ? (-stamp_ns / day_ns + 1) * day_ns : 0;
}

int64_t packet_clock_step(struct packet_clock *clock, int64_t stamp_ns)
{
    assert(stamp_ns >= -PACKET_CLOCK_LATEST_NS && stamp_ns <= PACKET_CLOCK_LATEST_NS);
    assert(clock->now_ns >= 0 && clock->now_ns <= PACKET_CLOCK_LATEST_NS);
    if (!clock->started)
        clock->base_ns = base_for(stamp_ns);
    // Caught up: stamps of two clocks in turn must not add up.
    if (add_saturated(stamp_ns, clock->base_ns) >= clock->now_ns)
        clock->offset_ns = clock->base_ns;
    int64_t now_ns = add_saturated(stamp_ns, clock->offset_ns);
    if (now_ns > PACKET_CLOCK_LATEST_NS) { // leaps of two such clocks added up: go on from where it stands
        clock->offset_ns = subtract_saturated(clock->now_ns, stamp_ns);
        clock->steps_back++;
        return clock->now_ns;
    }
    if (!clock->started || now_ns >= clock->now_ns) {
        assert(now_ns >= clock->now_ns || !clock->started);
        clock->started = true;
        clock->now_ns = now_ns;
        return now_ns;
    }
    if (subtract_saturated(clock->now_ns, now_ns) > NS_PER_S) {
        clock->offset_ns = subtract_saturated(clock->now_ns, stamp_ns);
        clock->steps_back++;
    }
    return clock->now_ns;
}

void live_clock_start(struct live_clock *clock)
{
    *clock = (struct live_clock){.start_wall_ns = clock_wall_ns(), .start_ns = clock_now_ns()};
    clock->now_ns = clock->start_wall_ns;
}

int64_t live_clock_read(struct live_clock *clock)
{
    assert(clock->start_ns != 0); // live_clock_start() was called
    clock->now_ns = clock->start_wall_ns + (clock_now_ns() - clock->start_ns);
    return clock->now_ns;
}

int64_t live_clock_advance(struct live_clock *clock, int64_t stamp_ns)
{
    static const int64_t step_ns = 2 * NS_PER_S;
    int64_t ahead_ns = stamp_ns + clock->offset_ns - clock->now_ns;
    if (ahead_ns > step_ns || ahead_ns < -step_ns) {
        clock->offset_ns = clock->now_ns - stamp_ns;
        clock->steps++;
    }
    return clock->now_ns;
}
