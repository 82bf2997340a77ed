// The thread beside a live capture: it watches the links, opens, closes and waits, which may take long, and does what
// other threads ask for, one thing after the other. The thread that captures never waits for it; it keeps the right to
// open interfaces (CAP_NET_RAW), with capture.fixed no more than others.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"
#include "capture/live/live_set.h"

enum live_request_kind { LIVE_START, LIVE_STOP, LIVE_SETTINGS };

struct live_request;

struct live_keeper {
    struct live_exchange exchange;
    struct live_set set; // the thread's, while it runs
    pthread_t thread;
    bool running;
    int64_t patience_ns; // of who asks
    atomic_bool stopping, keep_open;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    struct live_request *first, *last; // under the lock: the first is being done
};

// What is asked for; `settings` only with LIVE_SETTINGS, `word` otherwise.
struct live_wanted {
    enum live_request_kind kind;
    const char *word;
    bool drain;
    const struct capture_settings *settings;
};

// Opens all and begins. After a failure it is ended all the same.
bool live_keeper_begin(struct live_keeper *keeper, const struct capture_settings *settings,
                       struct error *error);
// Before anybody asks: what is stopped is counted at the end of a tick of the pipeline, and who asks waits for that too.
void live_keeper_set_tick(struct live_keeper *keeper, int64_t tick_ns);
// The source reads nothing any more. Requests that wait are answered: cancelled.
void live_keeper_end(struct live_keeper *keeper);

// Any thread but the source's: waits until it is done, for seconds and a tick at most; then what was not begun is
// withdrawn, settings that are not in force are taken back, and the rest goes on. `verdict` may be NULL.
bool live_keeper_ask(struct live_keeper *keeper, const struct live_wanted *wanted,
                     struct source_drops *verdict, struct error *error);
