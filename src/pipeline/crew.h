// The crew: the threads that run the workers' shards. There may be fewer threads than shards (cores without one
// for the source are too few): each runs some of them in turn. Anyone with nothing else to do may take a step
// for a worker too (worker_step()); who has its turn keeps others away.
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/bell.h"
#include "pipeline/tick.h"
#include "pipeline/worker.h"

struct crew;

struct crew_member {
    struct crew *crew;
    unsigned number; // runs the workers number, number + threads...
    struct bell bell;
    pthread_t thread;
};

struct crew {
    struct worker **workers; // borrowed
    unsigned worker_count;
    struct crew_member members[PIPELINE_WORKERS];
    unsigned threads, started;
};

// `threads` of them, at most as many as workers: the crew of nobody (0) leaves all steps to others. The bells come first:
// workers are made with them; not where there is nobody.
void crew_init(struct crew *crew, struct worker **workers, unsigned worker_count, unsigned threads);
struct bell *crew_bell(struct crew *crew, unsigned worker);
void crew_ring(struct crew *crew);
// False when a thread could not be started: the others end once every worker gets BATCH_SOURCE_END.
bool crew_start(struct crew *crew);
// After BATCH_SOURCE_END: waits for the threads.
void crew_join(struct crew *crew);
