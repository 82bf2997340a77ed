// The only clock of the project. Live, time comes from the monotonic clock; offline, from the packets'
// stamps through a packet_clock, which never steps back.
#pragma once

#include <stdbool.h>
#include <stdint.h>

int64_t clock_now_ns(void);  // CLOCK_MONOTONIC: spans and ticks of live runs
int64_t clock_wall_ns(void); // CLOCK_REALTIME: what people call the time

// Packet time. A step back of up to 1 s is clamped (now stands still); a larger one re-bases: from then
// on the stamps are shifted by an offset so that now goes on from where it was, until a stamp has caught
// up with now by itself. Now is never negative: all stamps of a capture that begins before 1970 are shifted. Pure; the
// source thread.
struct packet_clock {
    int64_t now_ns;
    int64_t base_ns;     // the shift of a capture that begins before 1970, whole days; else 0
    int64_t offset_ns;   // added to stamps: the base, or what the last re-basing made of it
    uint64_t steps_back; // re-basings
    bool started;
};

// Now never passes this (the year 2116), whatever a file claims: sums with timeouts and ticks stay in range.
// Stamps are at most this, too, and as far before 1970 at the earliest (the year 1823).
#define PACKET_CLOCK_LATEST_NS (INT64_C(1) << 62)

// Feeds a frame's stamp and returns now. Most stamps go on from the one before in a capture that did so throughout.
int64_t packet_clock_step(struct packet_clock *clock, int64_t stamp_ns);
static inline int64_t packet_clock_advance(struct packet_clock *clock, int64_t stamp_ns)
{
    bool plain = clock->started && (clock->base_ns | clock->offset_ns) == 0;
    if (!plain || stamp_ns < clock->now_ns || stamp_ns > PACKET_CLOCK_LATEST_NS)
        return packet_clock_step(clock, stamp_ns);
    clock->now_ns = stamp_ns;
    return stamp_ns;
}

// Live time: CLOCK_MONOTONIC, told as wall time of the start plus what has passed since. A frame's stamp is
// wall time; when the wall clock is set during the run, stamps are shifted by an offset from then on, and
// the step is counted. The clock is read once for the frames of a poll. The source thread.
struct live_clock {
    int64_t start_wall_ns, start_ns;
    int64_t now_ns;    // when it was last read
    int64_t offset_ns; // added to stamps
    uint64_t steps;    // times that the wall clock was set by more than 2 s
};

void live_clock_start(struct live_clock *clock);
int64_t live_clock_read(struct live_clock *clock); // returns now
// Feeds a frame's stamp and returns now, as it was last read.
int64_t live_clock_advance(struct live_clock *clock, int64_t stamp_ns);
