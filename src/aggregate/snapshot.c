#include "aggregate/snapshot.h"

#include <stdlib.h>
#include <string.h>

void snapshot_board_init(struct snapshot_board *board)
{
    *board = (struct snapshot_board){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void snapshot_board_done(struct snapshot_board *board)
{
    snapshot_release(board->latest);
    pthread_mutex_destroy(&board->lock);
}

void snapshot_publish(struct snapshot_board *board, const struct pipeline_tick *tick,
                      const struct top_flow *top, unsigned top_count)
{
    struct snapshot *snapshot = malloc(sizeof *snapshot);
    if (snapshot == NULL)
        return;
    atomic_init(&snapshot->holders, 1);
    snapshot->tick = tick->number;
    snapshot->now_ns = tick->now_ns;
    totals_copy(&snapshot->totals, tick->totals);
    snapshot->top_count = top_count;
    memcpy(snapshot->top, top, top_count * sizeof *top);
    pthread_mutex_lock(&board->lock);
    struct snapshot *before = board->latest;
    board->latest = snapshot;
    pthread_mutex_unlock(&board->lock);
    snapshot_release(before);
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
    if (held != NULL && atomic_fetch_sub_explicit(&held->holders, 1, memory_order_acq_rel) == 1)
        free(held);
}
