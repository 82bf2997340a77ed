// A generation of settings: what is in force, frozen, with its number. Control builds the next one aside and
// publishes it; whoever reads settings while they may change holds one. It goes with the last holder.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"

struct generation {
    atomic_uint holders;
    uint64_t number;          // the start's is 1
    struct settings settings; // in force
    // By row of the settings table:
    bool overridden[SETTINGS_ROWS]; // differs from what start or file said: changed by the API
    bool pending[SETTINGS_ROWS];    // the file says something else, which waits for a restart
};

// A copy of the settings, whose first holder is the caller. NULL without memory.
struct generation *generation_create(const struct settings *settings, uint64_t number, struct error *error);
void generation_release(const struct generation *generation); // any thread; takes NULL

unsigned generation_overridden(const struct generation *generation);
unsigned generation_pending(const struct generation *generation);

// Where the latest one hangs. Pointer and count are taken together under the lock.
struct generation_board {
    pthread_mutex_t lock;
    struct generation *latest; // never NULL after the first
};

void generation_board_init(struct generation_board *board);
void generation_board_done(struct generation_board *board);
void generation_publish(struct generation_board *board, struct generation *take_generation);
// Any thread: the latest. To be released.
const struct generation *generation_hold(struct generation_board *board);
