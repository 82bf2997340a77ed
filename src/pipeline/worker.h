// A worker: the thread of one shard. Batches come in, the shard's part of each tick goes out in pieces. The
// source thread calls worker_send(), the aggregate thread reads the tick through worker_run(). All rings are
// bounded and park who waits.
#pragma once

#include <stdbool.h>

#include "pipeline/batch.h"
#include "pipeline/shard.h"
#include "pipeline/tick.h"

enum { WORKER_QUEUE = 128, WORKER_PARTS = 16 };

struct worker;

// NULL without memory. Its thread starts with worker_start().
struct worker *worker_create(const struct shard_setup *setup);
bool worker_start(struct worker *worker);
// After the batch that ends the source was sent: waits for the thread. Destroy takes NULL.
void worker_join(struct worker *worker);
void worker_destroy(struct worker *worker);

// Source: queues a batch, whose latch the worker arrives at when it is done; there are never more than
// WORKER_QUEUE. A worker that sleeps goes on sleeping until worker_wake().
void worker_send(struct worker *worker, struct batch *batch);
void worker_wake(struct worker *worker);
// Batches that it has not begun.
unsigned worker_queued(const struct worker *worker);

// Any thread: asks the shard, which is woken for it.
enum mailbox_result worker_ask(struct worker *worker, struct question *question);

// Aggregate: waits for the shard's part of the next tick. The run is read through its `next`; the totals are
// the shard's at that tick.
struct tick_run *worker_run(struct worker *worker, const struct shard_totals **totals);
