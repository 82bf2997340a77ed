// The sliding windows of a detector that judges by target: what came of targets in the last window_secs, gathered from
// the shards' tables (targets.h) in the order of the partitions. A window is ten panes of a tenth of it, the one that
// is being filled among them: it holds what came in the last nine to ten tenths. Of sources and samples there are two
// generations, of this window and of the one before: they speak of the last one to two windows.
// At most WINDOWS_MAXIMUM targets: beyond, of eight rows that are picked by a fixed pseudo-random sequence the one with
// the least in its window makes room. So a target with many packets stays, whatever number of others is spoofed.
// 4.5 MB, of which memory is touched as targets come (2.2 KB each). One owner, the aggregate's thread. Cost: of a row
// that is merged one probe and three unions of sketches. Times are flow time.
#pragma once

#include "detect/visitors.h"

enum { WINDOWS_MAXIMUM = 2048, WINDOW_PANES = 10, WINDOW_TOUCHED_WORDS = WINDOWS_MAXIMUM / 64 };

struct target_window {
    _Alignas(CACHE_LINE) uint64_t sums[2]; // of the panes: see enum target_kind
    int64_t pane;                          // the number of the latest
    int64_t generation;                    // the number of this window
    int64_t young_slot;                    // the number of young[0]
    uint64_t young[2];                     // of counts[0]: what came in the last two slots
    struct target_visitors *visitors; // two: of this window, of the one before, the even generation first
    uint64_t panes[WINDOW_PANES][2];
    struct endpoint target;
};

struct target_windows;

// `young_ns`: see target_window_young(); 0 = not asked for. NULL without memory.
struct target_windows *target_windows_create(uint32_t window_secs, int64_t young_ns, uint64_t seed);
void target_windows_destroy(struct target_windows *windows); // takes NULL
// What is in the panes goes to those of the new window that hold its time; what is older than that is forgotten.
void target_windows_change(struct target_windows *windows, uint32_t window_secs);

struct tick_evidence;
// The tables of a kind in the tick that ends at `now_ns`, which never steps back. A row that nobody came to (only what the
// target itself sent was counted) is added to the target's window when there is one.
void target_windows_merge(struct target_windows *windows, const struct tick_evidence *evidence,
                          enum target_kind kind, int64_t now_ns);

// Targets that may have to be judged in this tick: those that something came to, or that have young packets. In an order
// that does not depend on the shards. The next one from *place on (0 at first), brought up to the latest merge; NULL = no more.
struct target_window *target_windows_next(struct target_windows *windows, unsigned *place);
// It need not be judged again until something comes to it.
void target_windows_rest(struct target_windows *windows, const struct target_window *window);

// Of sums[0], what came in the last one to two times young_ns.
uint64_t target_window_young(const struct target_windows *windows, const struct target_window *window);
// Both generations.
void target_window_visitors(const struct target_window *window, struct target_visitors *out);

struct target_windows_counts {
    unsigned targets;
    uint64_t evicted; // targets that made room
    uint64_t lost;    // packets that the shards' tables had no row for
};
struct target_windows_counts target_windows_counts(const struct target_windows *windows);
