// A worker: a shard with its rings. Batches come in; the shard's report of each tick goes out, and behind it the records
// of what ended, in parts. The source thread calls worker_send(), the aggregate thread reads the tick through
// worker_run(), and whoever has its turn takes the steps between them. All rings are bounded and park who waits.
#pragma once

#include <stdbool.h>

#include "base/bell.h"
#include "pipeline/batch.h"
#include "pipeline/shard.h"
#include "pipeline/tick.h"

enum { WORKER_QUEUE = 128, WORKER_PARTS = 16, WORKER_REPORTS = WORKER_PARTS };

struct worker;

// Who is woken when, all borrowed.
struct worker_bells {
    struct bell *owner; // the thread that runs the worker...
    struct bell
        *helper; // ...and one that lends a hand: a step became possible that was not, or the worker has ended
    struct bell *aggregate; // parts were sent: several,
    bool each_tick;         // or all of a tick (live)
};

// `answers_most`: DNS answers of ticks that the aggregate is not done with, above which the shard waits for it but
// with one tick. NULL without memory.
struct worker *worker_create(const struct shard_setup *setup, const struct worker_bells *bells,
                             uint32_t answers_most);
void worker_destroy(struct worker *worker); // takes NULL
uint64_t worker_bytes(void);                // without its flows and DNS answers

// Source: queues a batch, whose latch the worker arrives at when it is done; there are never more than
// WORKER_QUEUE. Rings no bell.
void worker_send(struct worker *worker, struct batch *batch);
// Batches that were not begun.
unsigned worker_queued(const struct worker *worker);

// Before the first step: from now on messages are taken.
void worker_begin(struct worker *worker);

enum worker_result {
    WORKER_WORKED,
    WORKER_IDLE, // nothing to do
    WORKER_BUSY, // another thread has the turn
};

// Takes the worker's next step: a batch with the tick that ends with it, and the messages or a slice of a question. Any
// thread, in turns: without `wait` it does not wait for its turn.
enum worker_result worker_step(struct worker *worker, bool wait);
// Whether a step has come to BATCH_SOURCE_END.
bool worker_has_ended(const struct worker *worker);
// Wakes the aggregate for what it may not know of. Before its thread sleeps.
void worker_flush(struct worker *worker);

// Any thread: posts to the shard, and rings.
struct message;
enum mailbox_result worker_post(struct worker *worker, struct message *message);

// Aggregate: whether the shard's part of the next tick has begun to come.
bool worker_has_run(struct worker *worker);
// Then: the run is read through its `next`; its report is valid until the call for the tick after it.
struct tick_run *worker_run(struct worker *worker);
