// A worker: the thread of one shard. Batches come in and go back empty, the shard's part of each tick goes
// out in pieces. The source thread calls worker_empty() and worker_send(), the aggregate thread reads the
// tick through worker_run(). All rings are bounded and park who waits.
#pragma once

#include <stdbool.h>

#include "pipeline/batch.h"
#include "pipeline/shard.h"
#include "pipeline/tick.h"

enum { WORKER_BATCHES = 48, WORKER_PARTS = 16 };

struct worker;

// NULL without memory. Its thread starts with worker_start().
struct worker *worker_create(const struct shard_setup *setup, unsigned batch_packets);
bool worker_start(struct worker *worker);
// After the batch that ends the source was sent: waits for the thread. Destroy takes NULL.
void worker_join(struct worker *worker);
void worker_destroy(struct worker *worker);

// Source: an empty batch. Without `wait`, NULL when none came back within 20 ms.
struct batch *worker_empty(struct worker *worker, bool wait);
void worker_send(struct worker *worker, struct batch *take_batch);

// Aggregate: waits for the shard's part of the next tick. The run is read through its `next`; the totals are
// the shard's at that tick.
struct tick_run *worker_run(struct worker *worker, const struct shard_totals **totals);
