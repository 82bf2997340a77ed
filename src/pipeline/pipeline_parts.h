// What the files of the pipeline share: pipeline.c reads the source, pipeline_inline.c runs the one shard of a
// pipeline without threads, pipeline_threads.c sends to those of one with. For these three only.
#pragma once

#include <pthread.h>

#include "pipeline/batch_ring.h"
#include "pipeline/crew.h"
#include "pipeline/pipeline.h"
#include "pipeline/question.h"
#include "pipeline/worker.h"

// What the source knows at the end of a tick.
struct tick_slot {
    int64_t now_ns;
    bool last;
    struct totals totals;
};

// The one shard of an inline pipeline, and how its ticks are read.
struct inline_shard {
    struct tick_run run; // first
    struct shard *shard;
    struct batch batch;
    struct ended_record record;
    struct top_flow top[TICK_TOP_FLOWS];
};

struct pipeline {
    struct pipeline_setup setup;
    struct source *source;
    struct tick_consumer *consumer;
    struct dispatch dispatch;
    struct totals counted; // the source thread's
    struct totals merged;  // the consumer's: with what the shards counted
    struct tick_run *runs[PIPELINE_WORKERS];
    struct inline_shard alone;
    // With more than one worker:
    struct worker *workers[PIPELINE_WORKERS];
    struct crew crew;
    struct bell helping; // rings for the source's thread when it has nothing to read
    struct batch_ring batches;
    unsigned unannounced;    // batches sent since the workers were woken
    struct tick_slot *slots; // of ticks on their way, by tick number
    unsigned slot_count;
    pthread_t aggregate;
    pthread_mutex_t asking; // one question at a time
};

// Adds what a shard counted to the source's totals.
void pipeline_add_totals(struct totals *to, const struct shard_totals *from);
// Gives a tick to the consumer; pipeline->merged is what is known at its end.
void pipeline_consume(struct pipeline *pipeline, uint64_t number, int64_t now_ns, unsigned runs, bool last);

bool pipeline_create_inline(struct pipeline *pipeline);
bool pipeline_create_workers(struct pipeline *pipeline);
deliver_function pipeline_run_inline, pipeline_send_batch; // `owner` is the pipeline

bool pipeline_start_threads(struct pipeline *pipeline);
void pipeline_join_threads(struct pipeline *pipeline);
void pipeline_wake_workers(struct pipeline *pipeline); // when something was sent that they do not know of
