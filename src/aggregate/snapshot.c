#include "aggregate/snapshot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "capture/clock.h"

const double tick_bounds_s[TICK_BUCKETS] = {0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1};

void snapshot_board_init(struct snapshot_board *board)
{
    *board = (struct snapshot_board){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void snapshot_board_done(struct snapshot_board *board)
{
    snapshot_release(board->latest);
    pthread_mutex_destroy(&board->lock);
}

static struct snapshot_mark mark_of(int64_t now_ns, const struct totals *totals)
{
    return (struct snapshot_mark){now_ns, totals->received, totals->received_bytes, totals->flows_created};
}

static void mark(struct snapshot_board *board, const struct pipeline_tick *tick)
{
    if (board->marked && tick->now_ns - board->marks[1].now_ns < NS_PER_S)
        return;
    struct snapshot_mark now = mark_of(tick->now_ns, tick->totals);
    board->marks[0] = board->marked ? board->marks[1] : now;
    board->marks[1] = now;
    board->marked = true;
}

static void fill(struct snapshot *snapshot, const struct pipeline_tick *tick, const struct top_flow *top,
                 unsigned top_count, const struct detect_status *detect)
{
    assert(top_count <= sizeof snapshot->top / sizeof snapshot->top[0]);
    snapshot->detect = *detect;
    snapshot->tick = tick->number;
    snapshot->now_ns = tick->now_ns;
    snapshot->made_ns = clock_now_ns();
    snapshot->generation = tick->generation;
    totals_copy(&snapshot->totals, tick->totals);
    snapshot->top_count = top_count;
    memcpy(snapshot->top, top, top_count * sizeof *top);
}

// Whether nobody but the board holds the latest one: it may be filled anew. Under the lock.
static bool is_unread(const struct snapshot *latest)
{
    return latest != NULL && atomic_load_explicit(&latest->holders, memory_order_acquire) == 1;
}

void snapshot_publish(struct snapshot_board *board, const struct pipeline_tick *tick,
                      const struct top_flow *top, unsigned top_count, const struct detect_status *detect)
{
    struct snapshot *before = NULL;
    mark(board, tick);
    pthread_mutex_lock(&board->lock);
    if (!is_unread(board->latest)) {
        struct snapshot *fresh = malloc(sizeof *fresh);
        if (fresh != NULL) {
            atomic_init(&fresh->holders, 1);
            before = board->latest;
            board->latest = fresh;
        }
    }
    if (is_unread(board->latest)) {
        fill(board->latest, tick, top, top_count, detect);
        board->latest->before = board->marks[0];
        board->latest->durations = board->durations;
    }
    pthread_mutex_unlock(&board->lock);
    snapshot_release(before);
}

void snapshot_count_duration(struct snapshot_board *board, int64_t took_ns)
{
    unsigned bucket = 0;
    while (bucket + 1 < TICK_BUCKETS && (double)took_ns > tick_bounds_s[bucket] * 1e9)
        bucket++;
    board->durations.count[bucket]++;
    board->durations.sum_ns += took_ns > 0 ? (uint64_t)took_ns : 0;
}

const struct snapshot *snapshot_hold(struct snapshot_board *board)
{
    pthread_mutex_lock(&board->lock);
    struct snapshot *snapshot = board->latest;
    if (snapshot != NULL)
        atomic_fetch_add_explicit(&snapshot->holders, 1, memory_order_relaxed);
    pthread_mutex_unlock(&board->lock);
    return snapshot;
}

void snapshot_release(const struct snapshot *snapshot)
{
    struct snapshot *held = (struct snapshot *)(uintptr_t)snapshot;
    if (held == NULL)
        return;
    unsigned before = atomic_fetch_sub_explicit(&held->holders, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before == 1)
        free(held);
}

struct snapshot_mark snapshot_mark_of(const struct snapshot *snapshot)
{
    return mark_of(snapshot->now_ns, &snapshot->totals);
}
