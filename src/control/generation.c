#include "control/generation.h"

#include <assert.h>
#include <stdlib.h>

struct generation *generation_create(const struct settings *settings, uint64_t number, struct error *error)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for the settings");
        return NULL;
    }
    atomic_init(&generation->holders, 1);
    generation->number = number;
    if (settings_copy(&generation->settings, settings, error))
        return generation;
    free(generation);
    return NULL;
}

void generation_release(const struct generation *generation)
{
    struct generation *held = (struct generation *)(uintptr_t)generation;
    if (held == NULL)
        return;
    unsigned before = atomic_fetch_sub_explicit(&held->holders, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    settings_done(&held->settings);
    free(held);
}

static unsigned count_rows(const bool rows[SETTINGS_ROWS])
{
    unsigned count = 0;
    for (unsigned i = 0; i < SETTINGS_ROWS; i++)
        count += rows[i];
    return count;
}

unsigned generation_overridden(const struct generation *generation)
{
    return count_rows(generation->overridden);
}

unsigned generation_pending(const struct generation *generation)
{
    return count_rows(generation->pending);
}

void generation_board_init(struct generation_board *board)
{
    *board = (struct generation_board){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void generation_board_done(struct generation_board *board)
{
    generation_release(board->latest);
    pthread_mutex_destroy(&board->lock);
}

void generation_publish(struct generation_board *board, struct generation *take_generation)
{
    pthread_mutex_lock(&board->lock);
    struct generation *before = board->latest;
    assert(before == NULL || take_generation->number >= before->number);
    board->latest = take_generation;
    pthread_mutex_unlock(&board->lock);
    generation_release(before);
}

const struct generation *generation_hold(struct generation_board *board)
{
    pthread_mutex_lock(&board->lock);
    struct generation *generation = board->latest;
    assert(generation != NULL);
    atomic_fetch_add_explicit(&generation->holders, 1, memory_order_relaxed);
    pthread_mutex_unlock(&board->lock);
    return generation;
}
