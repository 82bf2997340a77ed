// What a run knows at one tick, frozen: made by aggregate, read by any number of threads. Readers hold it as
// long as they like; it goes with the last of them.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "detect/detect_status.h"
#include "pipeline/tick.h"

// What was counted by a moment.
struct snapshot_mark {
    int64_t now_ns;
    uint64_t received, received_bytes, flows_created;
};

// How long ticks took on the aggregate's thread. Counts of the buckets, not summed up; the last is without bound.
enum { TICK_BUCKETS = 10 };
extern const double tick_bounds_s[TICK_BUCKETS]; // of the last: none
struct tick_durations {
    uint64_t count[TICK_BUCKETS];
    uint64_t sum_ns;
};

struct snapshot {
    atomic_uint holders;
    uint64_t tick;
    int64_t now_ns;      // at the end of the tick
    int64_t made_ns;     // monotonic: when it was hung up
    uint64_t generation; // of the settings that every shard had in force
    struct totals totals;
    struct snapshot_mark before; // a second or two earlier: what came since then tells the rates
    struct detect_status detect;
    struct tick_durations durations; // of all ticks before this
    unsigned top_count;              // of the statistics interval that ended last
    struct top_flow top[TICK_TOP_FLOWS];
};

// Where the latest one hangs. Pointer and count are taken together under the lock.
struct snapshot_board {
    pthread_mutex_t lock;
    struct snapshot *latest;         // NULL = none yet
    struct tick_durations durations; // aggregate's
    struct snapshot_mark marks[2];   // a second or more apart, the older one first; aggregate's
    bool marked;
};

void snapshot_board_init(struct snapshot_board *board);
void snapshot_board_done(struct snapshot_board *board);

// Aggregate, at every tick: hangs up a new one, whose first holder the board is. One that nobody has taken is
// filled anew instead. Without memory the old one stays.
void snapshot_publish(struct snapshot_board *board, const struct pipeline_tick *tick,
                      const struct top_flow *top, unsigned top_count, const struct detect_status *detect);

// Aggregate: a tick took so long. The next snapshot tells.
void snapshot_count_duration(struct snapshot_board *board, int64_t took_ns);

// Any thread: the latest, NULL before the first tick. To be released.
const struct snapshot *snapshot_hold(struct snapshot_board *board);
void snapshot_release(const struct snapshot *snapshot); // takes NULL
struct snapshot_mark snapshot_mark_of(const struct snapshot *snapshot);
